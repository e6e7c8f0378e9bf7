FROM scratch
ENV A=1 B="x y" C='q' D=e\ f
COPY a /a
