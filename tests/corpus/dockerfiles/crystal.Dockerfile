FROM crystallang/crystal:1.10-alpine as builder
WORKDIR /app
COPY ./shard.yml ./shard.lock ./
RUN shards install --production
COPY . ./
RUN crystal build --static --release src/app.cr
FROM busybox
WORKDIR /app
COPY --from=builder /app/app /app/app
ENTRYPOINT ["/app/app"]
