FROM scratch
USER a b
COPY a /a
