# Stands in for the public image redis; see README.md.
# checkov:skip=CKV_DOCKER_2: as with the public image, the compose file asks for its health
ARG BASE_IMAGE=python:3.11.15-slim-bookworm
FROM ${BASE_IMAGE}
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-server \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
EXPOSE 6379
CMD ["redis-server"]
