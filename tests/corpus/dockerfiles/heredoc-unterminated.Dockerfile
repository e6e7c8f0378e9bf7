FROM alpine:3.20
RUN <<EOF
apk add curl
echo done
USER app
CMD ["sh"]
