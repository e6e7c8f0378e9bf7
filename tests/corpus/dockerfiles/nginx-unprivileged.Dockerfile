FROM nginxinc/nginx-unprivileged:1.27-alpine
COPY --chown=101:101 dist/ /usr/share/nginx/html/
EXPOSE 8080
HEALTHCHECK --interval=10s CMD wget -q --spider http://127.0.0.1:8080/ || exit 1
