FROM --platform=linux/amd64 node:20 AS a
FROM --platform=$TARGETPLATFORM alpine:3.20 AS b
FROM --platform=${BUILDPLATFORM} golang:1.25 AS c
ARG TARGETARCH
ENV GOARCH=amd64
RUN GOARCH=$TARGETARCH go build
FROM --platform=linux/arm64 debian:12-slim
COPY --from=c /go/bin /bin/
USER 1
