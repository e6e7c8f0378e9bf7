FROM debian:12-slim AS fetch
ARG TARGETARCH
ARG KUBECTL_VERSION=v1.30.3
SHELL ["/bin/bash", "-eo", "pipefail", "-c"]
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl \
 && rm -rf /var/lib/apt/lists/*
RUN curl -fsSLo /kubectl "https://dl.k8s.io/release/${KUBECTL_VERSION}/bin/linux/${TARGETARCH}/kubectl" \
 && curl -fsSL "https://dl.k8s.io/${KUBECTL_VERSION}/bin/linux/${TARGETARCH}/kubectl.sha256" \
  | awk '{print $1 "  /kubectl"}' | sha256sum -c - \
 && chmod 0755 /kubectl

FROM gcr.io/distroless/static-debian13:nonroot
COPY --from=fetch /kubectl /kubectl
ENTRYPOINT ["/kubectl"]
