FROM continuumio/miniconda3
WORKDIR /srv
COPY environment.yml .
RUN conda env create -f environment.yml && conda clean -afy
SHELL ["conda", "run", "-n", "srv", "/bin/bash", "-c"]
COPY . .
RUN python setup.py install
ENTRYPOINT ["conda", "run", "--no-capture-output", "-n", "srv", "python", "serve.py"]
