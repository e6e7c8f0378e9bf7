FROM perl:5.38
RUN cpanm Mojolicious DBD::Pg
COPY . /opt/app
WORKDIR /opt/app
CMD [ "perl", "app.pl", "daemon" ]
