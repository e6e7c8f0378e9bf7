FROM ubuntu:22.04 AS build
RUN apt-get update && apt-get install -y curl git unzip xz-utils zip libglu1-mesa
RUN git clone https://github.com/flutter/flutter.git /usr/local/flutter
ENV PATH="/usr/local/flutter/bin:/usr/local/flutter/bin/cache/dart-sdk/bin:${PATH}"
RUN flutter channel stable && flutter upgrade && flutter config --enable-web
COPY . /app/
WORKDIR /app/
RUN flutter build web
FROM nginx:1.21.1-alpine
COPY --from=build /app/build/web /usr/share/nginx/html
