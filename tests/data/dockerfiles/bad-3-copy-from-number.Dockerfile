FROM scratch
COPY a /a
COPY --from=7 /a /b
