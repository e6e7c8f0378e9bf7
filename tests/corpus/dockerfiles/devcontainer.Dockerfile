FROM mcr.microsoft.com/devcontainers/base:ubuntu-22.04
RUN su vscode -c "umask 0002 && . /usr/local/share/nvm/nvm.sh && nvm install 20 2>&1"
RUN apt-get update && export DEBIAN_FRONTEND=noninteractive \
    && apt-get -y install --no-install-recommends postgresql-client
RUN pip3 --disable-pip-version-check --no-cache-dir install pre-commit
