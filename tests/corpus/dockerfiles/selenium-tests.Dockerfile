FROM selenium/standalone-chrome:120.0
USER root
RUN apt-get update; apt-get -y install python3-pip
COPY requirements.txt /
RUN pip install -r /requirements.txt
USER seluser
COPY tests /tests
CMD pytest /tests -n 4
