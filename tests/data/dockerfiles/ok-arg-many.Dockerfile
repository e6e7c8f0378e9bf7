FROM scratch
ARG A=1 B
COPY a /a
