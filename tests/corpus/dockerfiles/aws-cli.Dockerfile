FROM amazonlinux:2
RUN yum install -y unzip less groff
RUN curl "https://awscli.amazonaws.com/awscli-exe-linux-x86_64.zip" -o "awscliv2.zip" && unzip awscliv2.zip && ./aws/install
ENTRYPOINT ["/usr/local/bin/aws"]
