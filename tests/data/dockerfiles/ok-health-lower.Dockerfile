FROM scratch
COPY a /a
healthcheck cmd /a
