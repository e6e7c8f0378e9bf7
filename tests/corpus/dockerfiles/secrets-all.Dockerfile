FROM node:20-alpine
ARG NPM_AUTH_TOKEN=abc
ARG SSH_PRIVATE_KEY
ENV JWT_SECRET=s3cr3t API_KEY=12345
ENV PUBLIC_KEY=abc TOKEN_FILE=/run/secrets/token KEY_VERSION=2
COPY .npmrc .env* id_ed25519 ./
COPY certs/server.key certs/ca.pem /etc/ssl/
RUN git clone https://deploy:gl-abcdef123456@gitlab.example.com/team/repo.git
RUN npm ci && rm -f .npmrc
