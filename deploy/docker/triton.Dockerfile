# Triton Inference Server with the project's models and their engines. From the project's root:
#   docker build -f deploy/docker/triton.Dockerfile -t speechgate/triton:0.1.0 .
# The public image holds every backend; one with the Python backend alone, made by the server's
# own compose.py, is far smaller and may be given as TRITON_IMAGE.
ARG TRITON_IMAGE=nvcr.io/nvidia/tritonserver:26.08-py3

FROM ${TRITON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
# A model's engine has no wheel for the image's Python 3.12 and is compiled, in this stage alone.
ARG BUILD_PACKAGES="build-essential python3-dev"
# hadolint ignore=DL3008,SC2086
RUN if [ -n "${BUILD_PACKAGES}" ]; then \
        apt-get update \
        && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${BUILD_PACKAGES} \
        && rm -rf /var/lib/apt/lists/*; \
    fi
# Engines of models with weights of one's own are asked for: ENGINES=triton-engines.
ARG ENGINES=
# The stub takes its packages from the environment of the python3 on PATH.
RUN python3 -m venv --without-pip /opt/venv
COPY requirements/triton.txt requirements/triton-engines.txt /tmp/
# The lock names a server of its own, for machines without containers: not wanted here.
RUN awk '/^[^ ]/ { wanted = !/^nvidia-pytriton==/ } wanted' /tmp/triton.txt > /tmp/models.txt \
    && for lock in models ${ENGINES}; do \
        python3 -m pip --python /opt/venv/bin/python3 install --no-deps --require-hashes -r "/tmp/${lock}.txt" || exit 1; \
    done
COPY deploy/__init__.py /opt/speechgate/deploy/
COPY deploy/local/__init__.py deploy/local/guardian.py deploy/local/process.py deploy/local/procfs.py \
    deploy/local/triton_client.py deploy/local/triton_repository.py deploy/local/triton_tracing.py \
    deploy/local/triton_watchdog.py \
    /opt/speechgate/deploy/local/
COPY deploy/docker/__init__.py /opt/speechgate/deploy/docker/
COPY deploy/docker/inside/__init__.py deploy/docker/inside/triton_server.py /opt/speechgate/deploy/docker/inside/
COPY triton_models /opt/speechgate/triton_models
RUN /opt/venv/bin/python3 -m compileall -q --invalidation-mode unchecked-hash /opt/speechgate

FROM ${TRITON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="speechgate triton" \
    org.opencontainers.image.description="Triton Inference Server with the models of speechgate" \
    org.opencontainers.image.licenses="Apache-2.0 AND GPL-3.0-or-later AND GPL-2.0-or-later" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        apertium apertium-eng-cat apertium-eng-spa apertium-urd-hin espeak-ng libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 speechgate \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin speechgate \
    && install -d -o 10001 -g 10001 -m 0750 /run/speechgate \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/speechgate /opt/speechgate
ENV PATH=/opt/venv/bin:/opt/tritonserver/bin:${PATH} \
    PYTHONPATH=/opt/speechgate \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LANG=C.UTF-8 \
    HOME=/tmp
WORKDIR /opt/speechgate
USER 10001:10001
EXPOSE 8000 8001 8002
STOPSIGNAL SIGTERM
# As long as models may take to load on a slow machine: the first good answer ends it.
HEALTHCHECK --interval=5s --timeout=4s --start-period=300s --retries=3 \
    CMD ["python3", "-m", "deploy.docker.inside.triton_server", "check"]
ENTRYPOINT ["python3", "-m", "deploy.docker.inside.triton_server"]
CMD ["serve"]
