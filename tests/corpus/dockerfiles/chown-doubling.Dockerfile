FROM node:18-slim
WORKDIR /usr/src/app
COPY . .
RUN npm ci --omit=dev
RUN chown -R node:node /usr/src/app
RUN chmod -R 755 /usr/src/app
USER node
CMD ["node", "."]
