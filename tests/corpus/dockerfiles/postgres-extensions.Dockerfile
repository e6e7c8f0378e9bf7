FROM postgres:12
RUN apt-get update \
      && apt-get install -y --no-install-recommends \
           postgresql-12-postgis-3 \
           postgresql-12-postgis-3-scripts \
      && rm -rf /var/lib/apt/lists/*
RUN mkdir -p /docker-entrypoint-initdb.d
COPY ./initdb-postgis.sh /docker-entrypoint-initdb.d/10_postgis.sh
