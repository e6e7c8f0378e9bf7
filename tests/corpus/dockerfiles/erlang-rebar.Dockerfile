FROM erlang:26-alpine AS build
WORKDIR /buildroot
COPY . .
RUN rebar3 as prod release
FROM alpine:3.18
RUN apk add --no-cache openssl ncurses-libs libstdc++
COPY --from=build /buildroot/_build/prod/rel/dockerwatch /dockerwatch
EXPOSE 8080 8443
CMD ["/dockerwatch/bin/dockerwatch", "foreground"]
