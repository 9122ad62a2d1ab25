# Debian's packages: which ones are missing, and their installation. A part of setup.sh, which sources
# it.

MODES=/usr/share/apertium/modes
SPEECH=/usr/share/pocketsphinx/test/data/librivox

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
