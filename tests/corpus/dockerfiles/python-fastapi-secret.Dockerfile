FROM tiangolo/uvicorn-gunicorn-fastapi:python3.9
ARG PIP_INDEX_TOKEN
ENV DATABASE_PASSWORD=changeme
ENV AWS_SECRET_ACCESS_KEY=AKIAXXXXXXXXEXAMPLE
RUN pip install --extra-index-url https://ci:${PIP_INDEX_TOKEN}@pypi.corp.example/simple internal-lib
COPY .env /app/.env
COPY ./app /app
