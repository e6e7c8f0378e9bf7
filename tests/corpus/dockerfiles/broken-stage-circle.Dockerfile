FROM b AS a
COPY --from=b /x /x
FROM alpine:3.20 AS b
COPY --from=b /y /y
FROM alpine:3.20 AS a
