FROM scratch
LABEL a.b="c d" \
  e=f
COPY a /a
