FROM alpine:3.20 AS Base
run apk add --no-cache curl
Copy . /src
FROM Base as final
Entrypoint ["/src/run"]
