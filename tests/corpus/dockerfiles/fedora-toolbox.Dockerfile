FROM registry.fedoraproject.org/fedora-toolbox:40
RUN dnf install ripgrep fd-find zsh
RUN dnf -y install @development-tools
