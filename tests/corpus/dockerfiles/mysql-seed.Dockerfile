FROM mysql:5.7
ENV MYSQL_ROOT_PASSWORD root
ADD dump.sql.gz /docker-entrypoint-initdb.d/
RUN chmod -R 755 /docker-entrypoint-initdb.d
EXPOSE 3306
CMD ["mysqld", "--character-set-server=utf8mb4"]
