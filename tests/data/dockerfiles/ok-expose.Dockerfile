FROM scratch
COPY a /a
EXPOSE 80 443/tcp 8000-8010/udp
