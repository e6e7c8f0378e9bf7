FROM scratch
SHELL /bin/sh
