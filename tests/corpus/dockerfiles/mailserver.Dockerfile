FROM alpine:3.16
RUN apk --update add postfix dovecot rsyslog supervisor && rm -rf /var/cache/apk/*
RUN service postfix stop; kill -9 $(ps aux | grep '[m]aster' | awk '{print $2}') || true
COPY supervisord.conf /etc/supervisor.d/mail.ini
RUN mount -t tmpfs tmpfs /tmp || true
EXPOSE 25 143 587 993
CMD ["supervisord", "-n"]
