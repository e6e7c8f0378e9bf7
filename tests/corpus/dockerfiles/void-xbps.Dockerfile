FROM voidlinux/voidlinux
RUN xbps-install -Sy curl git
RUN curl https://sh.rustup.rs -sSf | sh -s -- -y
ENV PATH=/root/.cargo/bin:$PATH
