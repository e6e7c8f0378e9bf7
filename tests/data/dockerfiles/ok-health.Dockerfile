FROM scratch
COPY a /a
HEALTHCHECK --interval=1m30s --retries=3 CMD ["/a"]
