FROM ${B:-scratch}
COPY a /a
