FROM eclipse-temurin:21-jdk-alpine AS jlink
RUN apk add --no-cache binutils
RUN jlink --add-modules java.base,java.logging,java.naming,jdk.unsupported \
      --strip-debug --no-man-pages --no-header-files --compress zip-9 --output /jre
WORKDIR /src
COPY gradlew build.gradle settings.gradle ./
COPY gradle gradle
RUN ./gradlew --no-daemon dependencies
COPY src src
RUN ./gradlew --no-daemon bootJar

FROM alpine:3.22
COPY --from=jlink /jre /opt/jre
COPY --from=jlink /src/build/libs/app.jar /app.jar
USER 10000:10000
ENV PATH=/opt/jre/bin:$PATH
ENTRYPOINT ["java", "-jar", "/app.jar"]
