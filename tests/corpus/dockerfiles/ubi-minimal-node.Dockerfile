FROM registry.access.redhat.com/ubi8/ubi-minimal
RUN microdnf install -y nodejs npm && microdnf clean all
WORKDIR /opt/app-root
COPY package.json .
RUN npm install --production && npm cache clean --force
COPY --chown=1001:0 . .
USER 1001
CMD ["node", "server.js"]
