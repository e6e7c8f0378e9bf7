FROM node:22-alpine AS install
ARG NPM_TOKEN
WORKDIR /app
COPY package.json package-lock.json ./
RUN echo "//registry.npmjs.org/:_authToken=${NPM_TOKEN}" > .npmrc && npm ci && rm -f .npmrc

FROM node:22-alpine
WORKDIR /app
COPY --from=install /app/node_modules node_modules
COPY . .
CMD node index.js
