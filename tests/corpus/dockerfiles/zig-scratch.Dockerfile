FROM alpine:3.21 AS zig
ARG ZIG=0.13.0
RUN apk add --no-cache xz curl \
 && curl -fsSL https://ziglang.org/download/${ZIG}/zig-linux-x86_64-${ZIG}.tar.xz | tar -xJ -C /opt
WORKDIR /src
COPY . .
RUN /opt/zig-linux-x86_64-${ZIG}/zig build -Doptimize=ReleaseSmall
FROM scratch
COPY --from=zig /src/zig-out/bin/app /app
ENTRYPOINT ["/app"]
