FROM alpine:3.22 AS s0
RUN apk add --no-cache bash
FROM s0 AS s1
RUN apk add --no-cache git
FROM s1 AS s2
ENV X=1
FROM s2 AS s3
USER 1000
FROM s3 AS s4
COPY . /x
FROM s4
CMD ["bash"]
