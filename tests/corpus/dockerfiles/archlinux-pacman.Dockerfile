FROM archlinux:base-devel
RUN pacman -Syu --noconfirm git base-devel && pacman -Scc --noconfirm
RUN useradd -m builder && echo 'builder ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/builder
USER builder
WORKDIR /home/builder
RUN git clone https://aur.archlinux.org/yay.git && cd yay && makepkg -si --noconfirm
