FROM scratch
ENV A="b
COPY a /a
