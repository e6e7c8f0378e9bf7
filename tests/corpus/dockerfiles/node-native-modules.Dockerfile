FROM node:18 AS builder
WORKDIR /opt/app
COPY package.json .
RUN npm install
COPY . .
FROM node:20-alpine
WORKDIR /opt/app
COPY --from=builder /opt/app/node_modules ./node_modules
COPY --from=builder /opt/app/index.js .
RUN apk add --no-cache tini
ENTRYPOINT ["/sbin/tini", "--"]
CMD ["node", "index.js"]
