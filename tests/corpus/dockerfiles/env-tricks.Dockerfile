FROM debian:12-slim
ENV A=1 B=$A C="two words" D='single'
ENV PATH=/opt/bin:$PATH LD_LIBRARY_PATH=/opt/lib:$LD_LIBRARY_PATH
ENV OLD style value with spaces
ENV HOME=/srv HOME_BIN=$HOME/bin
WORKDIR $HOME
COPY app ${HOME_BIN}/
CMD ["app"]
