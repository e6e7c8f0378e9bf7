# first comment

# second comment
FROM debian:12-slim # not a comment
RUN apt-get update \
# comment at column 0
    # indented comment
 && apt-get install -y git \

 && true
