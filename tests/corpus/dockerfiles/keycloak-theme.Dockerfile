FROM quay.io/keycloak/keycloak:24.0 AS builder
ENV KC_HEALTH_ENABLED=true KC_DB=postgres
COPY providers/*.jar /opt/keycloak/providers/
RUN /opt/keycloak/bin/kc.sh build
FROM quay.io/keycloak/keycloak:24.0
COPY --from=builder /opt/keycloak/ /opt/keycloak/
ENTRYPOINT ["/opt/keycloak/bin/kc.sh", "start", "--optimized"]
