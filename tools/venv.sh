#!/bin/sh
# Makes .venv with a Python that is new enough and installs the package there, editable. Usage: tools/venv.sh [EXTRA]
set -eu
cd "$(dirname "$0")/.."

usable='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
        if "$candidate" -c "$usable" >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
}

explain() {
    for candidate in ${PYTHON:-} python3 python; do
        found=$("$candidate" -c 'import platform; print("Python " + platform.python_version())' 2>/dev/null) && break
    done
    echo "guardrails needs Python 3.11 or newer with the venv and ensurepip modules on PATH (found: ${found:-none})." >&2
    echo "Install one (on Debian and Ubuntu: python3.11 and python3.11-venv), or say where it is: make demo PYTHON=/path/to/python3" >&2
    exit 1
}

if ! .venv/bin/python -c "$usable" >/dev/null 2>&1; then
    python=$(find_python)
    [ -n "$python" ] || explain
    echo "Making .venv with $("$python" -c 'import platform; print("Python " + platform.python_version())')"
    "$python" -m venv --clear .venv
fi

install() {
    .venv/bin/python -m pip install -qq --disable-pip-version-check --editable "$1" || {
        echo "Installing failed; the first run needs a package index that pip can reach." >&2
        exit 1
    }
}

if [ -n "${1:-}" ]; then
    echo "Installing guardrails and its test tools into .venv"
    install ".[$1]"
    touch ".venv/.installed-$1"
else
    echo "Installing guardrails into .venv"
    install .
fi
touch .venv/.installed
