FROM debian:10
ENV DEBIAN_FRONTEND noninteractive
ENV USER root
ENV VNC_PASSWORD=vncpassword
RUN apt-get update && apt-get install -y --allow-unauthenticated xfce4 xfce4-terminal tightvncserver firefox-esr
RUN mkdir /root/.vnc
ADD xstartup /root/.vnc/xstartup
ADD passwd /root/.vnc/passwd
RUN chmod 600 /root/.vnc/passwd
CMD /usr/bin/vncserver :1 -geometry 1280x800 -depth 24 && tail -f /root/.vnc/*:1.log
EXPOSE 5901
