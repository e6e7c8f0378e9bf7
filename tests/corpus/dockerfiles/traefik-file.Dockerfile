FROM traefik:v2.10
COPY traefik.yml dynamic.yml /etc/traefik/
