FROM varnish:7.5
USER root
RUN set -e; apt-get update; apt-get -y install $VMOD_DEPS /pkgs/*.deb git; \
    install-vmod https://github.com/varnish/varnish-modules/archive/refs/heads/master.tar.gz; \
    apt-get -y purge --auto-remove $VMOD_DEPS; rm -rf /var/lib/apt/lists/*
USER varnish
COPY default.vcl /etc/varnish/
