ARG REGISTRY=docker.io
ARG IMAGE=library/node
ARG TAG=20-alpine
FROM ${REGISTRY}/${IMAGE}:${TAG} AS base
ARG TAG
RUN echo "built on ${TAG}"
FROM base AS final
RUN echo "tag is ${TAG} from ${IMAGE}"
CMD ["node"]
