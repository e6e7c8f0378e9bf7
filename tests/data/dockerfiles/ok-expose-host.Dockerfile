FROM scratch
COPY a /a
EXPOSE 80:80
