FROM node:22
RUN npm install -g npm@10 yarn@1.22.22 typescript
RUN npm i @angular/cli@17 @scope/pkg
RUN npm install express@4.19.2 --save
RUN npm install git+https://github.com/x/y.git
RUN npm install ./local.tgz
RUN npm install
RUN npm ci --prefix client
RUN yarn add lodash && yarn global add serve
RUN yarn && yarn cache clean
