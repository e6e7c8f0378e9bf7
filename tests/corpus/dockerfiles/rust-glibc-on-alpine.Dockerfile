FROM rust:1.82-bookworm AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY src ./src
RUN cargo build --release

FROM alpine:3.20
RUN addgroup -S app && adduser -S app -G app
COPY --from=build /build/target/release/server /usr/local/bin/server
USER app
ENTRYPOINT ["server"]
