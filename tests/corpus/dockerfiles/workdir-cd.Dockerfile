FROM debian:12-slim
RUN cd /opt && mkdir x && cd x && touch y
RUN cd /tmp && make
RUN (cd /tmp && make); echo done
RUN cd /srv || exit 1; ls
WORKDIR "/quoted path"
COPY a b/
USER 33
