FROM openjdk:11-jre
ENV KAFKA_VERSION=3.4.0 SCALA_VERSION=2.13 KAFKA_HOME=/opt/kafka
RUN wget https://archive.apache.org/dist/kafka/${KAFKA_VERSION}/kafka_${SCALA_VERSION}-${KAFKA_VERSION}.tgz -O /tmp/kafka.tgz
RUN tar -xzf /tmp/kafka.tgz -C /opt && mv /opt/kafka_${SCALA_VERSION}-${KAFKA_VERSION} ${KAFKA_HOME}
RUN rm -rf /tmp/kafka.tgz
COPY start.sh /
EXPOSE 9092
ENTRYPOINT /start.sh
