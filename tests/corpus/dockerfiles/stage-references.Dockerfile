FROM alpine:3.20 AS one
FROM one AS two
COPY --from=one /a /a
FROM scratch AS three
COPY --from=two /b /b
COPY --from=tow /c /c
COPY --from=5 /d /d
COPY --from=later /e /e
FROM debian:12 AS later
COPY --from=later /f /f
FROM three
