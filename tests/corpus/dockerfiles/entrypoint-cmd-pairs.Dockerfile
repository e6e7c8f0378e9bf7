FROM python:3.13-slim
COPY app.py /app.py
USER 1000
ENTRYPOINT ["python3"]
CMD ["python", "/app.py"]
