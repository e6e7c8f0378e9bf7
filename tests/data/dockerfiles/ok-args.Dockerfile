ARG B=scratch
FROM ${B}
COPY a /a
