FROM python:3.10-slim
ONBUILD COPY requirements.txt /tmp/
ONBUILD RUN pip install -r /tmp/requirements.txt
ONBUILD COPY . /app
ONBUILD WORKDIR app
WORKDIR /app
CMD ["python", "app.py"]
