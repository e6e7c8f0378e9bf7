FROM nimlang/nim:2.0.0-alpine
COPY . /app
WORKDIR /app
RUN nimble build -d:release -y
CMD ["/app/main"]
