FROM python:3.12-slim AS app
WORKDIR /src
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
COPY . .

FROM app AS test
RUN pip install pytest==8.3.2 pytest-cov==5.0.0
RUN pytest -q --cov

FROM app AS lint
RUN pip install ruff && ruff check .

FROM app AS prod
USER 65534:65534
HEALTHCHECK --interval=30s --timeout=3s CMD python -c "import urllib.request; urllib.request.urlopen('http://localhost:8000/health')"
EXPOSE 8000
ENTRYPOINT ["python", "-m", "service"]
CMD ["--port", "8000"]
