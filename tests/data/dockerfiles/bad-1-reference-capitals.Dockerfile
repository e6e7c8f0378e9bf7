FROM Python:3
COPY a /a
