# syntax=docker/dockerfile:1.4
FROM debian:12-slim
RUN <<EOF
apt-get update
apt-get install -y --no-install-recommends curl ca-certificates
rm -rf /var/lib/apt/lists/*
EOF
COPY <<EOF /etc/motd
Welcome to $HOSTNAME
EOF
CMD ["cat", "/etc/motd"]
