FROM squidfunk/mkdocs-material AS docs
WORKDIR /docs
COPY . .
RUN mkdocs build --strict
FROM busybox:1.36.1-musl
COPY --from=docs /docs/site /www
USER 1000
EXPOSE 8000
CMD ["httpd", "-f", "-p", "8000", "-h", "/www"]
