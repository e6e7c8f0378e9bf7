FROM ubuntu:22.04
RUN apt-get update
RUN apt-get install -y wget build-essential
RUN wget https://example.com/src-1.2.tar.gz -O /tmp/src.tar.gz
RUN tar -xzf /tmp/src.tar.gz -C /tmp
RUN cd /tmp/src-1.2 && ./configure && make && make install
RUN rm -rf /tmp/src.tar.gz /tmp/src-1.2
RUN apt-get remove -y build-essential wget
RUN apt-get autoremove -y && apt-get clean
RUN rm -rf /var/lib/apt/lists/*
CMD ["/usr/local/bin/prog"]
