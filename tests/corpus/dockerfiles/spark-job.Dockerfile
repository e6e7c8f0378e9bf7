FROM bitnami/spark:3.5
USER root
RUN install_packages curl
RUN pip install pyspark==3.5.1 pandas
COPY jobs /opt/jobs
USER 1001
