FROM debian:12-slim
RUN useradd -u 100001 -m svc
RUN groupadd -g 2000000 big && useradd --uid 2000000 --gid big --no-log-init big
RUN useradd -l -u 999999999 huge
USER svc
