FROM quay.io/prometheus/busybox:latest AS bb
FROM ghcr.io/example/base@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS pinned
FROM localhost:5000/team/app:1.2.3 AS local
FROM example.azurecr.io/app AS untagged
FROM public.ecr.aws/docker/library/alpine:3.20
COPY --from=bb /bin/sh /bin/bbsh
COPY --from=pinned /x /x
USER 65534
