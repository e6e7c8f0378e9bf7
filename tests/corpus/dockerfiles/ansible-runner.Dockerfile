FROM ubuntu:22.04
RUN apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      python3 python3-pip openssh-client sshpass && \
    pip3 install ansible ansible-lint && \
    rm -rf /var/lib/apt/lists/*
COPY id_rsa /root/.ssh/id_rsa
RUN chmod 600 /root/.ssh/id_rsa && ssh-keyscan github.com >> /root/.ssh/known_hosts
WORKDIR /ansible
COPY . .
CMD ansible-playbook -i inventory site.yml
