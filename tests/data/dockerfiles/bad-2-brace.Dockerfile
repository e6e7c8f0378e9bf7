FROM scratch
WORKDIR ${A
COPY a /a
