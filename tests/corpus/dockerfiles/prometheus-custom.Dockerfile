FROM prom/prometheus:v2.53.0
COPY prometheus.yml rules.yml /etc/prometheus/
