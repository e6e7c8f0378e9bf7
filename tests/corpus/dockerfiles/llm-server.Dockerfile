FROM nvidia/cuda:12.4.1-devel-ubuntu22.04 AS build
RUN apt-get update && apt-get install -y git build-essential
RUN git clone https://github.com/ggerganov/llama.cpp /src
WORKDIR /src
RUN make LLAMA_CUDA=1 -j

FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04
COPY --from=build /src/llama-server /usr/local/bin/llama-server
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 wget && rm -rf /var/lib/apt/lists/*
RUN wget --progress=dot:giga -P /models https://huggingface.co/x/y/resolve/main/model.gguf
EXPOSE 8080
ENTRYPOINT ["llama-server", "-m", "/models/model.gguf"]
