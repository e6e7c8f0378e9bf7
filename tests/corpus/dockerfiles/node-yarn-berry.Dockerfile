FROM node:20-alpine AS build
WORKDIR /app
COPY .yarnrc.yml package.json yarn.lock ./
COPY .yarn ./.yarn
RUN yarn install --immutable
COPY tsconfig.json ./
COPY src src
RUN yarn build && yarn workspaces focus --production && yarn cache clean

FROM gcr.io/distroless/nodejs20-debian12
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
CMD ["dist/main.js"]
