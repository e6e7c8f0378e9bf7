FROM ubuntu:24.04
RUN set -ex \
    && apt-get update \
    && apt-get install -y --no-install-recommends wget=1.21.4-1ubuntu4 build-essential=12.10ubuntu1 ca-certificates \
    && wget -nv https://example.com/src-1.2.tar.gz -O /tmp/src.tar.gz \
    && tar -xzf /tmp/src.tar.gz -C /tmp \
    && make -C /tmp/src-1.2 install \
    && apt-get purge -y --auto-remove wget build-essential \
    && rm -rf /tmp/* /var/lib/apt/lists/*
USER 1000:1000
CMD ["/usr/local/bin/prog"]
