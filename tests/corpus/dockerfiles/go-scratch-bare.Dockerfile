FROM golang:1.23 AS builder
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go build -o /bin/app ./cmd/app

FROM scratch
COPY --from=builder /bin/app /app
ENTRYPOINT ["/app"]
