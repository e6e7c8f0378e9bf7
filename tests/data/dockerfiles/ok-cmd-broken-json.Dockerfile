FROM scratch
COPY a /a
CMD ['a', 'b']
