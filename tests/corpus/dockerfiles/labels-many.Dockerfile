FROM scratch
LABEL org.opencontainers.image.title="thing" \
      org.opencontainers.image.source=https://github.com/example/thing \
      "com.example.quoted key"="yes"
LABEL description This is the old form
LABEL multi.label1="value1" multi.label2="value2" other="value3"
COPY thing /
ENTRYPOINT ["/thing"]
