FROM scratch
COPY a /a
SHELL ["/bin/bash", "-c"]
