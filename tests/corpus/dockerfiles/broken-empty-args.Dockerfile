FROM alpine:3.20
WORKDIR
ENV
COPY onlyone
EXPOSE
CMD ["sh"]
