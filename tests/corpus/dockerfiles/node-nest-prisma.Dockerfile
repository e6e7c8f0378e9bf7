FROM node:20-slim AS build
RUN apt-get update -y && apt-get install -y openssl
WORKDIR /usr/src/app
COPY package*.json ./
COPY prisma ./prisma/
RUN npm ci
COPY . .
RUN npx prisma generate && npm run build && npm prune --production

FROM node:20-slim
RUN apt-get update -y && apt-get install -y openssl
WORKDIR /usr/src/app
COPY --from=build /usr/src/app/node_modules ./node_modules
COPY --from=build /usr/src/app/dist ./dist
COPY --from=build /usr/src/app/package.json ./
EXPOSE 3000
CMD [ "npm", "run", "start:prod" ]
