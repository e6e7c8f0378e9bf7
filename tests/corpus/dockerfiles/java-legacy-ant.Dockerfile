FROM ubuntu:14.04
MAINTAINER "Legacy Team"
RUN apt-get update && apt-get install -y openjdk-7-jdk ant wget unzip curl
RUN wget http://archive.apache.org/dist/tomcat/tomcat-7/v7.0.109/bin/apache-tomcat-7.0.109.zip
RUN unzip apache-tomcat-7.0.109.zip && mv apache-tomcat-7.0.109 /opt/tomcat
RUN rm apache-tomcat-7.0.109.zip
ENV CATALINA_HOME /opt/tomcat
ADD . /build
RUN cd /build && ant war && cp dist/*.war $CATALINA_HOME/webapps/
EXPOSE 8080
CMD $CATALINA_HOME/bin/catalina.sh run
