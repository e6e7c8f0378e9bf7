# syntax=docker/dockerfile:1
FROM python:3.13.1-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --target=/deps -r requirements.lock

FROM python:3.13.1-slim-bookworm
ENV PYTHONPATH=/deps
WORKDIR /app
COPY --from=build /deps /deps
COPY app/ ./
USER 65532:65532
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health')"]
CMD ["python", "main.py"]
