FROM node:16-slim
LABEL "com.github.actions.name"="My action"
LABEL "com.github.actions.icon"="mic"
ENV CI true
WORKDIR /action
ADD package.json package-lock.json /action/
ADD dist /action/dist
ENTRYPOINT ["node", "/action/dist/index.js"]
