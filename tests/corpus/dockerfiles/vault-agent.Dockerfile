FROM hashicorp/vault:1.17
COPY agent.hcl /vault/config/
USER vault
ENTRYPOINT ["vault", "agent", "-config=/vault/config/agent.hcl"]
