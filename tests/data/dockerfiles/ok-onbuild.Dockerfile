FROM scratch
COPY a /a
ONBUILD COPY x /y
