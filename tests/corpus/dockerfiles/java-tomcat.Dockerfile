FROM tomcat:9.0
LABEL maintainer="ops@example.com"
RUN rm -rf /usr/local/tomcat/webapps/*
COPY target/app.war /usr/local/tomcat/webapps/ROOT.war
COPY conf/server.xml conf/context.xml /usr/local/tomcat/conf
EXPOSE 8080
CMD ["catalina.sh", "run"]
