FROM scratch
COPY a /a
VOLUME /x /y
