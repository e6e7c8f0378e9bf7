FROM node:20-alpine
WORKDIR /app
COPY ['package.json', './']
CMD ["node", "server.js",]
ENTRYPOINT ['tini', '--']
