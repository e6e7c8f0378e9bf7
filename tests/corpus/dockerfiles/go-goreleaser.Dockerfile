FROM gcr.io/distroless/static:nonroot
ARG BINARY=exporter
COPY ${BINARY} /usr/bin/exporter
EXPOSE 9100/tcp
ENTRYPOINT ["/usr/bin/exporter"]
