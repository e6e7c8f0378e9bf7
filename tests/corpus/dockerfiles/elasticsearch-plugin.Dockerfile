FROM docker.elastic.co/elasticsearch/elasticsearch:8.13.4
RUN bin/elasticsearch-plugin install --batch analysis-icu
COPY --chown=elasticsearch:root config/ /usr/share/elasticsearch/config/
