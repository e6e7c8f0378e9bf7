FROM debian:12-slim
RUN set -eux; \
    arch="$(dpkg --print-architecture)"; \
    case "$arch" in \
        amd64) url='https://example.com/x-amd64.tgz' ;; \
        arm64|aarch64) url='https://example.com/x-arm64.tgz' ;; \
        *) echo >&2 "unsupported: $arch"; exit 1 ;; \
    esac; \
    savedAptMark="$(apt-mark showmanual)"; \
    apt-get update; \
    apt-get install -y --no-install-recommends ca-certificates wget; \
    rm -rf /var/lib/apt/lists/*; \
    wget -O /tmp/x.tgz "$url"; \
    tar -xzf /tmp/x.tgz -C /usr/local --strip-components=1; \
    rm /tmp/x.tgz; \
    apt-mark auto '.*' > /dev/null; \
    [ -z "$savedAptMark" ] || apt-mark manual $savedAptMark > /dev/null; \
    apt-get purge -y --auto-remove -o APT::AutoRemove::RecommendsImportant=false; \
    x --version
