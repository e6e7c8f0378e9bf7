# escape=`
FROM debian:12
RUN apt-get update `
 && apt-get install -y --no-install-recommends `
      jq `
      # a comment in the middle
      curl `
 && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["jq"]
