FROM alpine:3.20
ENV GREETING="hello
LABEL a="b
RUN echo "unterminated
CMD ["sh"]
