ARG NGINX=1.27.0
FROM nginx:${NGINX} AS build
RUN apt-get update && apt-get install -y --no-install-recommends git wget gcc make libpcre2-dev zlib1g-dev libssl-dev
RUN wget https://nginx.org/download/nginx-${NGINX}.tar.gz && tar zxf nginx-${NGINX}.tar.gz \
 && git clone --depth 1 https://github.com/google/ngx_brotli.git --recurse-submodules
RUN cd nginx-${NGINX} && ./configure --with-compat --add-dynamic-module=../ngx_brotli && make modules

FROM nginx:${NGINX}
ARG NGINX
COPY --from=build /nginx-${NGINX}/objs/*.so /etc/nginx/modules/
COPY nginx.conf /etc/nginx/nginx.conf
