# nothing to start from
ARG VERSION=1
COPY . /app
RUN make -C /app
