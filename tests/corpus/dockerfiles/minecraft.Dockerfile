FROM eclipse-temurin:21-jre
RUN apt-get update && apt-get install -y --no-install-recommends curl jq && rm -rf /var/lib/apt/lists/* \
    && groupadd -r mc && useradd -r -g mc -d /data mc
ADD https://piston-data.mojang.com/v1/objects/abc/server.jar /opt/server.jar
RUN chmod 644 /opt/server.jar
USER mc
WORKDIR /data
VOLUME /data
EXPOSE 25565
ENTRYPOINT ["java", "-Xmx2G", "-jar", "/opt/server.jar", "nogui"]
