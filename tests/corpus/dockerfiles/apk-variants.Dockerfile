FROM alpine:3.20
RUN apk add --no-cache curl=8.9.1-r1 jq~1.7 "git>2.40"
RUN apk --no-cache add bash
RUN apk add --update --virtual .build gcc && apk del .build && rm -rf /var/cache/apk/*
RUN apk add -U tzdata
RUN apk -U upgrade && apk add ca-certificates
RUN --mount=type=cache,target=/var/cache/apk apk add nginx
RUN apk add --no-cache --repository=https://dl-cdn.alpinelinux.org/alpine/edge/testing hping3
