FROM alpine:3.20
RUN apk add --no-cache postgresql16-client aws-cli dcron
COPY backup.sh /etc/periodic/daily/backup
RUN chmod +x /etc/periodic/daily/backup
ENV S3_SECRET_KEY=""
CMD crond -f -l 8
