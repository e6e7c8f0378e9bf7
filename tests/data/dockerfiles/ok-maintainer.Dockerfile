FROM scratch
MAINTAINER it's me
COPY a /a
