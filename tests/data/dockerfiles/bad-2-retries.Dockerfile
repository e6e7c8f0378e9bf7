FROM scratch
HEALTHCHECK --retries=x CMD y
