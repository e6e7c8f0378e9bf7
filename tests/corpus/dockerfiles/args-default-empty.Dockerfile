ARG BASE
FROM ${BASE:-debian:12-slim}
ARG EXTRA_PACKAGES
RUN apt-get update && apt-get install -y ${EXTRA_PACKAGES} && rm -rf /var/lib/apt/lists/*
