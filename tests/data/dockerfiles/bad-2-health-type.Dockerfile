FROM scratch
HEALTHCHECK maybe
