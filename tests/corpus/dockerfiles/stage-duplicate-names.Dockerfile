FROM golang:1.25 AS build
RUN go build -o /a .
FROM node:22 AS build
RUN npm run build
FROM alpine:3.22 AS scratch
FROM nginx:1.27
COPY --from=build /dist /usr/share/nginx/html
