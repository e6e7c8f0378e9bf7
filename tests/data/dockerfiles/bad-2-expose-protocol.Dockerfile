FROM scratch
EXPOSE 80/icmp
COPY a /a
