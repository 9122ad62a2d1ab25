# Stands in for the public image python; see README.md.
# checkov:skip=CKV_DOCKER_2: only a base
# checkov:skip=CKV_DOCKER_3: likewise
ARG BASE_IMAGE=speechgate-standin/debian:12.0-debootstrap
FROM ${BASE_IMAGE}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get upgrade -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*
