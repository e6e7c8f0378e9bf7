FROM google/cloud-sdk:slim
RUN apt-get install kubectl google-cloud-sdk-gke-gcloud-auth-plugin -y
COPY service-account-prod.json /secrets/
RUN gcloud auth activate-service-account --key-file=/secrets/service-account-prod.json
CMD ["bash"]
