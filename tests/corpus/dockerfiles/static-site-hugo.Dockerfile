FROM klakegg/hugo:0.111.3-ext-alpine AS hugo
COPY . /src
RUN hugo --minify
FROM nginx:1.25-alpine-slim
COPY --from=hugo /src/public /usr/share/nginx/html
