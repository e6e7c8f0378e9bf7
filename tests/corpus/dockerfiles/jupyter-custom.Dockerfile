FROM jupyter/scipy-notebook:2023-10-20
RUN conda install --yes 'r-base=4.3' && conda clean --all -f -y && fix-permissions "${CONDA_DIR}"
RUN pip install --quiet --no-cache-dir dash
USER root
RUN apt-get update --yes && apt-get install --yes --no-install-recommends fonts-liberation && apt-get clean && rm -rf /var/lib/apt/lists/*
USER ${NB_UID}
