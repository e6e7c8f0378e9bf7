FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends \
    curl=7.88.1-10+deb12u5 \
    git \
    "$EXTRA" \
    && rm -rf /var/lib/apt/lists/*
RUN apt-get update; apt-get install --no-install-recommends -y vim; apt-get clean; rm -r /var/lib/apt/lists/*
RUN xargs -a packages.txt apt-get install -y
