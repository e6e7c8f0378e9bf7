FROM gradle:8.10-jdk21-alpine AS build
WORKDIR /src
COPY build.gradle.kts settings.gradle.kts gradle.properties ./
RUN gradle --no-daemon dependencies || true
COPY src src
RUN gradle --no-daemon shadowJar
FROM amazoncorretto:17-alpine
COPY --from=build /src/build/libs/app-all.jar /srv/app.jar
EXPOSE 8080:8080
CMD java -jar /srv/app.jar
