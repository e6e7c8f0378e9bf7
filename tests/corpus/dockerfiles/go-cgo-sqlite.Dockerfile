FROM golang:1.25 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . ./
RUN CGO_ENABLED=1 go build -o /server -tags "sqlite_omit_load_extension" .

FROM gcr.io/distroless/base-debian13:nonroot
COPY --from=build --chmod=755 /server /server
VOLUME ["/data"]
EXPOSE 8080
ENTRYPOINT ["/server"]
