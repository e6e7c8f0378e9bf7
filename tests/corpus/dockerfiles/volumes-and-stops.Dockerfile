FROM debian:12-slim
VOLUME ["/data", "/logs"]
VOLUME /cache /tmp/x
STOPSIGNAL SIGQUIT
STOPSIGNAL 9
WORKDIR data
WORKDIR /srv
WORKDIR sub
COPY . .
USER 33
