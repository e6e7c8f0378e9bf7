FROM ruby:3.3-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN apt-get update \
    && apt-get install --yes --no-install-recommends curl gnupg \
    && curl -fsSL https://example.com/key.gpg | gpg --dearmor -o /usr/share/keyrings/x.gpg \
    && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["ruby", "-e", "puts 1"]
