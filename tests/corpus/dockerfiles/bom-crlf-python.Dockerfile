FROM python:3.11
ADD . /code
WORKDIR /code
RUN pip3 install -r requirements.txt
CMD python manage.py runserver 0.0.0.0:8000
