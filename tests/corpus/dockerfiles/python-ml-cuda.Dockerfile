FROM nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu20.04

ENV DEBIAN_FRONTEND=noninteractive

RUN apt update
RUN apt install -y python3.9 python3-pip git wget curl vim
RUN ln -sf /bin/bash /bin/sh

RUN pip3 install torch torchvision torchaudio --index-url https://download.pytorch.org/whl/cu118
RUN pip3 install numpy pandas scikit-learn jupyterlab

WORKDIR workspace
ADD . .

RUN wget https://example.com/models/bert-base.tar.gz
RUN tar xzf bert-base.tar.gz
RUN rm bert-base.tar.gz

EXPOSE 8888
CMD jupyter lab --ip=0.0.0.0 --allow-root --no-browser
