FROM node:14.17.0-alpine AS builder
WORKDIR /app
COPY . .
RUN npm i -g @angular/cli
RUN npm i && ng build --prod
FROM nginx
RUN rm -rf /usr/share/nginx/html/*
COPY --from=builder /app/dist/* /usr/share/nginx/html/
