FROM fedora:39
RUN dnf -y upgrade && dnf -y install postgresql-server-15.4 postgresql-contrib && dnf clean all
USER postgres
RUN initdb -D /var/lib/pgsql/data
EXPOSE 5432
CMD ["postgres", "-D", "/var/lib/pgsql/data"]
