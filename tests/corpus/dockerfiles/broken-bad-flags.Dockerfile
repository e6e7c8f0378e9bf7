FROM --plattform=linux/amd64 alpine:3.20
COPY --form=builder /a /b
RUN --mout=type=cache,target=/x true
HEALTHCHECK --interval=abc CMD true
