FROM scratch AS 1x
COPY a /a
