FROM scratch AS One
COPY a /a
FROM scratch
COPY --from=one /a /b
