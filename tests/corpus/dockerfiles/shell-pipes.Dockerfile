FROM alpine:3.20
RUN wget -qO- https://example.com/a.tar.gz | tar xz -C /opt
RUN cat /etc/passwd | grep root | cut -d: -f1 > /root-user
RUN echo "hello" | tee /hello
RUN yes | head -5 > /yes && curl https://example.com | sh -
RUN bash -c "$(curl -fsSL https://example.com/install.sh)"
