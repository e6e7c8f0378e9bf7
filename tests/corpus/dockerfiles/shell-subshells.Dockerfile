FROM ubuntu:22.04
RUN (apt-get update && apt-get install -y --no-install-recommends curl) || (echo failed; exit 1)
RUN if [ "$(uname -m)" = "x86_64" ]; then curl -fsSL https://example.com/amd64 -o /usr/bin/x; else curl -fsSL https://example.com/arm64 -o /usr/bin/x; fi
RUN for p in a b c; do echo "$p" >> /list; done && { sort /list | uniq > /sorted; }
RUN x=$(curl -s https://example.com/version | head -1) && echo "$x" > /version
