FROM alpine:3.20 AS src
FROM alpine:3.20
COPY a b c /dest
COPY ["file with space.txt", "/target dir/"]
COPY --from=src /etc/os-release .
COPY --from=0 / /all
COPY --from=busybox:1.36 /bin/busybox /bin/bb
COPY --from=nginx /etc/nginx/nginx.conf /nginx.conf
COPY --chown=1000:1000 --chmod=644 conf/*.yml /etc/app/
COPY *.md docs/
ADD https://example.com/big.iso /isos/
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/x /x
ADD rootfs.tar.xz /
ADD git@github.com:example/repo.git /repo
