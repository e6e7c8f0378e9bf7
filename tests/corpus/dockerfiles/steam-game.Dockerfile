FROM cm2network/steamcmd:root
ENV STEAMAPPID 740
RUN set -x && apt-get update && apt-get install -y --no-install-recommends --no-install-suggests wget=1.21.3-1+b2 lib32z1=1:1.2.13.dfsg-1 \
  && mkdir -p "/home/steam/csgo" && chown -R "steam:steam" "/home/steam/csgo" && rm -rf /var/lib/apt/lists/*
USER steam
CMD ["bash", "entry.sh"]
EXPOSE 27015/tcp 27015/udp 27020/udp
