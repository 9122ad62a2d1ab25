# Stands in for the public images prometheus and alertmanager; see README.md.
# checkov:skip=CKV_DOCKER_2: as with the public image, the compose file asks for its health
ARG BASE_IMAGE=python:3.11.15-slim-bookworm
FROM ${BASE_IMAGE}
# prometheus or alertmanager, and the Debian package it is in.
ARG PROGRAM=prometheus
ARG PACKAGE=prometheus
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${PACKAGE}" wget \
    && rm -rf /var/lib/apt/lists/* \
    && { [ -e "/bin/${PROGRAM}" ] || ln -s "/usr/bin/${PACKAGE}" "/bin/${PROGRAM}"; } \
    && install -d -o 65534 -g 65534 "/${PROGRAM}" \
    && printf '#!/bin/sh\nexec %s "$@"\n' "/bin/${PROGRAM}" > /usr/local/bin/start \
    && chmod 0755 /usr/local/bin/start
USER 65534:65534
ENTRYPOINT ["/usr/local/bin/start"]
