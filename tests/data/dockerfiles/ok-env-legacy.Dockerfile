FROM scratch
ENV A some value
COPY a /a
