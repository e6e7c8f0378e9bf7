FROM golang:1.23 AS build
ARG GITHUB_TOKEN
RUN git config --global url."https://x-access-token:${GITHUB_TOKEN}@github.com/".insteadOf "https://github.com/"
ENV GOPRIVATE=github.com/acme/*
WORKDIR /src
COPY . .
RUN GOOS=linux GOARCH=amd64 go build -ldflags "-linkmode external -extldflags -static" -o app
FROM debian:stable-slim
RUN apt-get update && apt-get install -y ca-certificates
COPY --from=build /src/app /usr/local/bin/app
CMD ["app"]
