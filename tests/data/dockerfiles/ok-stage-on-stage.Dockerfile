FROM scratch AS one
COPY a /a
FROM one
COPY a /b
