FROM alpine:3.17
RUN apk add --no-cache openssh && ssh-keygen -A && echo "root:toor" | chpasswd
COPY authorized_keys /root/.ssh/authorized_keys
EXPOSE 22
CMD ["/usr/sbin/sshd","-D","-e"]
