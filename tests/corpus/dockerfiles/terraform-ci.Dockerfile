FROM alpine:3.15
ARG TERRAFORM_VERSION=1.3.7
ENV TF_IN_AUTOMATION=true
RUN apk add --no-cache --virtual .deps curl unzip \
    && curl -sLo /tmp/tf.zip https://releases.hashicorp.com/terraform/${TERRAFORM_VERSION}/terraform_${TERRAFORM_VERSION}_linux_amd64.zip \
    && unzip /tmp/tf.zip -d /usr/local/bin \
    && rm /tmp/tf.zip \
    && apk del .deps
RUN wget -q https://github.com/gruntwork-io/terragrunt/releases/download/v0.45.0/terragrunt_linux_amd64 -O /usr/local/bin/terragrunt && chmod +x /usr/local/bin/terragrunt
WORKDIR /workspace
ENTRYPOINT ["terraform"]
