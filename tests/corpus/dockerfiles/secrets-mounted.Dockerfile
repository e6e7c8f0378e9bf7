# syntax=docker/dockerfile:1
FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=cache,target=/root/.npm npm ci
RUN --mount=type=ssh git clone git@github.com:example/private.git
COPY . .
RUN npm run build
FROM nginxinc/nginx-unprivileged:1.27
COPY --from=build /app/dist /usr/share/nginx/html
