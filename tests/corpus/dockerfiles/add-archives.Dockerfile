FROM debian:12-slim
COPY app.tar.gz /tmp/app.tar.gz
RUN tar xzf /tmp/app.tar.gz -C /opt && rm /tmp/app.tar.gz
ADD jdk-21.tar.gz /opt/
COPY data.zip /data/
RUN unzip /data/data.zip -d /data
COPY fonts.tgz /usr/share/fonts/
RUN cd /usr/share/fonts && tar --extract --file fonts.tgz
