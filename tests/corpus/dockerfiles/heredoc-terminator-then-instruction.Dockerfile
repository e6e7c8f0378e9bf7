FROM alpine:3.20
RUN <<EOF
apk add --no-cache git
git config --system init.defaultBranch main
EOF
RUN <<'SH'
set -eu
for tool in git sh; do
  command -v "$tool"
done
SH
USER nobody
