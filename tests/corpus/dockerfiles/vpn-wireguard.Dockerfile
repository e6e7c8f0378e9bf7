FROM linuxserver/wireguard:1.0.20210914
RUN ifconfig || top -bn1
COPY wg0.conf /config/wg_confs/wg0.conf
