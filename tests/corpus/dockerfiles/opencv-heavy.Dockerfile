FROM ubuntu:16.04
RUN apt-get update && apt-get upgrade -y && apt-get install -y build-essential cmake git libgtk2.0-dev pkg-config libavcodec-dev libavformat-dev libswscale-dev
RUN git clone https://github.com/opencv/opencv.git
RUN mkdir /opencv/build && cd /opencv/build && cmake -D CMAKE_BUILD_TYPE=Release .. && make -j4 && make install
RUN rm -rf /opencv
COPY . /app
RUN cd /app && make
CMD ["/app/run"]
