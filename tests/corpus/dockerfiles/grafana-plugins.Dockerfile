FROM grafana/grafana:latest
ENV GF_SECURITY_ADMIN_PASSWORD=admin
ENV GF_INSTALL_PLUGINS=grafana-clock-panel
COPY dashboards /var/lib/grafana/dashboards
