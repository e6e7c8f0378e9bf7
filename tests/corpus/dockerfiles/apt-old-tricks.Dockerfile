FROM debian:stretch
RUN apt-get update -qq && apt-get upgrade -y && apt-get dist-upgrade -yqq
RUN echo 'APT::Install-Recommends "false";' > /etc/apt/apt.conf.d/99norecommends
RUN apt-get -qq install curl
RUN apt-get -y --force-yes install git=1:2.11.0-3+deb9u7
RUN apt-get install -t stretch-backports -y git-lfs
RUN apt install ./local.deb
RUN apt-key adv --keyserver keyserver.ubuntu.com --recv-keys ABCDEF
