FROM openresty/openresty:1.25.3.1-alpine-fat
RUN luarocks install lua-resty-http
COPY nginx.conf /usr/local/openresty/nginx/conf/nginx.conf
COPY lua/ /usr/local/openresty/lualib/app/
RUN apk add bash curl
EXPOSE 80 443
