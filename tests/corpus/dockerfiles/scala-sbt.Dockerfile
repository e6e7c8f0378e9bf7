FROM hseeberger/scala-sbt:8u222_1.3.5_2.13.1 AS builder
WORKDIR /app
COPY project project
COPY build.sbt .
RUN sbt update
COPY . .
RUN sbt assembly
FROM openjdk:8-jre
COPY --from=builder /app/target/scala-2.13/*.jar /app.jar
CMD exec java -jar /app.jar
