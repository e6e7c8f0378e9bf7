FROM scratch
COPY ["a", "/a b"]
