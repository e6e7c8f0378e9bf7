FROM scratch AS x
COPY a /a
COPY --from=x /a /b
