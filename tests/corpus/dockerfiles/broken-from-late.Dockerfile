RUN echo before
FROM alpine:3.20
CMD ["sh"]
