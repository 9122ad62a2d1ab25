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

# shellcheck source=deploy/local/setup_packages.sh
source "$ROOT_DIR/deploy/local/setup_packages.sh"
# shellcheck source=deploy/local/setup_node.sh
source "$ROOT_DIR/deploy/local/setup_node.sh"

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

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
