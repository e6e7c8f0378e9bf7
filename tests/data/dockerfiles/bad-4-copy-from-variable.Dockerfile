FROM scratch AS x
COPY a /a
FROM scratch
COPY --from=$Y /a /b
