FROM alpine:3.19 AS build
RUN apk add --no-cache g++ make cmake python3 py3-pip \
    && pip install conan==2.1.0 --break-system-packages
WORKDIR /w
COPY conanfile.txt .
RUN conan install . --build=missing
COPY . .
RUN g++ -O2 -o app src/*.cpp
FROM debian:12-slim
COPY --from=build /w/app /app
ENTRYPOINT ["/app"]
