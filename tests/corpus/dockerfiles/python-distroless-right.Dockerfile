FROM python:3.13-slim-bookworm AS build
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --target=/deps -r requirements.txt

FROM gcr.io/distroless/python3-debian13:nonroot
COPY --from=build /deps /deps
COPY app.py /app/app.py
ENV PYTHONPATH=/deps
EXPOSE 8000
CMD ["/app/app.py"]
