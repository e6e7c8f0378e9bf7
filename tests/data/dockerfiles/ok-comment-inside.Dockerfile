FROM scratch
COPY a \
# why
  /a
