FROM scratch
LABEL a b c
COPY a /a
