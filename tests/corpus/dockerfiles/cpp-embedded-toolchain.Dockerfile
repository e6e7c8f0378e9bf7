FROM ubuntu:18.04
ENV TOOLCHAIN gcc-arm-none-eabi-9-2019-q4-major
RUN apt-get update && apt-get install -y wget bzip2 make python
RUN wget -O /tmp/tc.tar.bz2 https://developer.arm.com/-/media/Files/downloads/gnu-rm/9-2019q4/${TOOLCHAIN}-x86_64-linux.tar.bz2
RUN tar xjf /tmp/tc.tar.bz2 -C /opt
RUN rm /tmp/tc.tar.bz2
ENV PATH=$PATH:/opt/$TOOLCHAIN/bin
RUN apt-get clean
WORKDIR /work
ENTRYPOINT ["make"]
