FROM alpine
RUN apk update
RUN apk add bash curl jq git openssh-client
RUN rm -rf /var/cache/apk/*
COPY scripts/ /usr/local/bin/
RUN chmod -R +x /usr/local/bin/
ENTRYPOINT ["bash"]
