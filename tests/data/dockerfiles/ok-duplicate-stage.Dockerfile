FROM scratch AS a
COPY a /a
FROM scratch AS a
COPY a /b
