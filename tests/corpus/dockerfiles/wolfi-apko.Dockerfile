FROM cgr.dev/chainguard/wolfi-base
RUN apk add python-3.12 py3.12-pip
RUN adduser -D app
USER app
CMD ["python"]
