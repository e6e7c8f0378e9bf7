FROM debian:12-slim
RUNN apt-get update
COPPY . /app
CMD ["bash"]
