FROM debian:12-slim AS a
USER root
RUN true
USER 0:0
FROM debian:12-slim AS b
USER ${APP_USER}
FROM debian:12-slim
USER app:app
RUN whoami
USER root
CMD ["bash"]
