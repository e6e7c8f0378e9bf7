FROM rocker/shiny:4.3.1
RUN apt-get update && apt-get install -y \
    --no-install-recommends \
    git-core \
    libssl-dev \
    libcurl4-gnutls-dev
RUN install2.r --error --skipinstalled shiny jsonlite ggplot2
RUN rm -rf /srv/shiny-server/*
COPY /app/ /srv/shiny-server/
RUN sudo chown -R shiny:shiny /srv/shiny-server
EXPOSE 3838
CMD ["/usr/bin/shiny-server"]
