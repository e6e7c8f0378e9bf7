FROM ubuntu:24.04
RUN bash -euxo pipefail <<EOF
apt-get update
apt-get install -y curl
curl -fsSL https://example.com/setup | bash
EOF
