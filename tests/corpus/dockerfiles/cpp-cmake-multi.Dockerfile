FROM debian:bookworm AS build
RUN apt-get update && apt-get install -y build-essential cmake ninja-build libboost-all-dev
WORKDIR /src
COPY . .
RUN cmake -GNinja -DCMAKE_BUILD_TYPE=Release -S . -B build && cmake --build build

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y libboost-system1.74.0 libboost-filesystem1.74.0 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/server /usr/local/bin/
USER daemon
CMD ["/usr/local/bin/server"]
