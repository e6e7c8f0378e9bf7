FROM python:3.12-slim
WORKDIR /app
COPY app.py .
USER 1000
ENTRYPOINT exec python app.py --config $CONFIG
