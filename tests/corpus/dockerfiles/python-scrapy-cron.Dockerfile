FROM python:latest
MAINTAINER Data Team <data@example.com>
RUN apt-get update
RUN apt-get -y install cron vim
ADD crontab /etc/cron.d/scrape
RUN chmod 0644 /etc/cron.d/scrape
RUN touch /var/log/cron.log
ADD requirements.txt /tmp/
RUN cd /tmp && pip install -r requirements.txt
ADD . /scraper
WORKDIR /scraper
RUN service cron start
CMD cron && tail -f /var/log/cron.log
