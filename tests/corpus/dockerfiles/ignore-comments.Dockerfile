# hadolint global ignore=DL3059
# hadolint ignore=DL3006
FROM debian
# hadolint ignore=DL3008,DL3009,DL3015 # we live dangerously
RUN apt-get update && apt-get install -y curl
RUN apt-get install -y git
# loadline ignore=shell-form
CMD bash
