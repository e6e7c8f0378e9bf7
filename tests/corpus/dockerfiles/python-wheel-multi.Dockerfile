FROM python:3.13-alpine AS wheels
RUN apk add --no-cache gcc musl-dev libffi-dev
COPY requirements.txt /
RUN pip wheel -r /requirements.txt -w /wheels

FROM python:3.13-slim
COPY --from=wheels /wheels /wheels
RUN pip install --no-cache-dir /wheels/*.whl && rm -rf /wheels
COPY app /app
USER 1000
CMD ["python", "-m", "app"]
