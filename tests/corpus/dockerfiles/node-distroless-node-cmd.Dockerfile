FROM node:22 AS build
WORKDIR /srv
ADD package.json package-lock.json /srv/
RUN npm ci --omit=dev
ADD . /srv

FROM gcr.io/distroless/nodejs22-debian13:nonroot
COPY --from=build /srv /srv
WORKDIR /srv
CMD ["node", "index.js"]
