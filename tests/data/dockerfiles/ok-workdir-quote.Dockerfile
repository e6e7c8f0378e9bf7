FROM scratch
WORKDIR "/a b"
COPY a .
