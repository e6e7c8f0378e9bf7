ARG A="scratch"
FROM $A
COPY a /a
