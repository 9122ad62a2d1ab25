# Stands in for the public image tritonserver, on the CPU; see README.md.
# checkov:skip=CKV_DOCKER_2: only a base; triton.Dockerfile has one
# checkov:skip=CKV_DOCKER_3: likewise
ARG BASE_IMAGE=python:3.11.15-slim-bookworm
FROM ${BASE_IMAGE}
COPY requirements/triton.txt /tmp/
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libpython3.11 python3-pip \
    && rm -rf /var/lib/apt/lists/* \
    && awk '/^[^ ]/ { wanted = /^nvidia-pytriton==/ } wanted' /tmp/triton.txt > /tmp/server.txt \
    && python3 -m pip install --no-cache-dir --no-deps --require-hashes --target /opt/pytriton -r /tmp/server.txt \
    && ln -s /opt/pytriton/pytriton/tritonserver /opt/tritonserver \
    # The Python backend looks for its stub beside itself; a copy would lose its RPATH.
    && ln -s /opt/tritonserver/python_backend_stubs/3.11/triton_python_backend_stub \
        /opt/tritonserver/backends/python/triton_python_backend_stub
ENV PATH=/opt/tritonserver/bin:${PATH}
