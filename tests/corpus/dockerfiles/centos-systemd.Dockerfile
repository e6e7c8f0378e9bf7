FROM centos:8
RUN yum install epel-release
RUN yum install -y nginx supervisor && systemctl enable nginx
RUN sudo yum -y install python3
COPY supervisord.conf /etc/supervisord.conf
CMD /usr/bin/supervisord -c /etc/supervisord.conf
