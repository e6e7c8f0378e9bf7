FROM alpine:3.20
# loadline ignore=not-a-rule,DL9999
RUN apk add curl
# hadolint ignore=DL3999,SC2086
RUN apk add git
# loadline ignore=apk-cache
