# The TTS service and its migrations. From the project's root:
#   docker build -f deploy/docker/tts.Dockerfile -t speechgate/tts:0.1.0 .
ARG PYTHON_IMAGE=python:3.11.15-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
RUN python3 -m venv /opt/venv
COPY requirements/tts.txt /tmp/requirements.txt
# Once everything is installed, the installer is only something to attack.
RUN /opt/venv/bin/python -m pip install --require-hashes -r /tmp/requirements.txt \
    && /opt/venv/bin/python -m pip uninstall --quiet --yes setuptools pip
COPY shared /opt/speechgate/shared
COPY services/__init__.py /opt/speechgate/services/
COPY services/tts /opt/speechgate/services/tts
COPY deploy/docker/inside/entrypoint.py deploy/docker/inside/healthcheck.py /opt/speechgate/deploy/docker/inside/
# The root is read-only at run time, so that nothing could be compiled later.
RUN /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/speechgate

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="speechgate tts" \
    org.opencontainers.image.description="Speech synthesis" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
# The base is as old as its last build: what Debian has mended since comes here. An empty volume
# takes the owner of the folder it is mounted on.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get upgrade -y --no-install-recommends \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 speechgate \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin speechgate \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/speechgate \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/speechgate /opt/speechgate
ENV PATH=/opt/venv/bin:${PATH} \
    PYTHONPATH=/opt/speechgate \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LANG=C.UTF-8 \
    HOME=/tmp \
    SPEECHGATE_HOST=0.0.0.0 \
    SPEECHGATE_PORT=8002 \
    SPEECHGATE_SPOOL_SLOTS=/var/lib/speechgate
WORKDIR /opt/speechgate
USER 10001:10001
EXPOSE 8002
STOPSIGNAL SIGTERM
# As long as models may take to load on a slow machine: the first good answer ends it.
HEALTHCHECK --interval=5s --timeout=4s --start-period=300s --retries=3 \
    CMD ["python3", "-I", "/opt/speechgate/deploy/docker/inside/healthcheck.py"]
ENTRYPOINT ["python3", "/opt/speechgate/deploy/docker/inside/entrypoint.py"]
CMD ["python3", "-m", "services.tts", "serve"]
