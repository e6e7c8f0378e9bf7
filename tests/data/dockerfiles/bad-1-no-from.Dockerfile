COPY a /a
