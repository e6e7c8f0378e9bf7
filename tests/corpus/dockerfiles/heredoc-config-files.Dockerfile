FROM nginx:1.27-alpine
COPY <<"NGINX" /etc/nginx/conf.d/default.conf
server {
    listen 8080;
    location / {
        return 200 "ok $host\n";
    }
}
NGINX
RUN <<EOT
  set -e
  rm -rf /usr/share/nginx/html/*
  chown -R nginx:nginx /var/cache/nginx /run
EOT
USER nginx
