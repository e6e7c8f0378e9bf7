FROM scratch
EXPOSE http
COPY a /a
