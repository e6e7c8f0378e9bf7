FROM alpine:3.22 AS build
RUN apk add --no-cache build-base
WORKDIR /src
COPY main.c Makefile ./
RUN gcc -static -Os -s -o hello main.c
FROM scratch
COPY --from=build /src/hello /hello
USER 1000:1000
CMD ["/hello"]
