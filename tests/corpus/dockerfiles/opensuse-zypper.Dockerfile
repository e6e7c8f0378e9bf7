FROM opensuse/leap:15.5
RUN zypper refresh && zypper install apache2 php8
RUN zypper --non-interactive install -y vim
RUN zypper dup -y
EXPOSE 80
CMD ["/usr/sbin/httpd-prefork", "-D", "FOREGROUND"]
