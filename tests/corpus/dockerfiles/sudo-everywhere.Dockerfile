FROM ubuntu:20.04
RUN apt-get update && apt-get install -y sudo && rm -rf /var/lib/apt/lists/*
RUN useradd -ms /bin/bash dev && usermod -aG sudo dev
USER dev
RUN sudo apt-get update && sudo apt-get install -y build-essential
RUN sudo -u dev git config --global user.name dev
WORKDIR /home/dev
