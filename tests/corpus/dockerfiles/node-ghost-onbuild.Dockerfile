FROM node:12-onbuild
ENV NODE_ENV production
VOLUME /data
EXPOSE 2368
