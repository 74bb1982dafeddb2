#!/usr/bin/env bash
# Compiles pyproject.toml into requirements with hashes and without any address they were downloaded from.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(command -v .venv/bin/uv || command -v uv)
compile() {
    local out=$1
    shift
    "$uv" pip compile "$@" --universal --python-version 3.13 --generate-hashes --no-annotate \
        --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file "$out"
}
compile requirements.txt pyproject.toml
# With what the emulator declares, which is used here from its folder.
compile requirements-dev.txt pyproject.toml emulator/pyproject.toml --extra tls --group dev --constraints requirements.txt
# uv alone, so that plain pip can fetch it by hash before anything else is installed
awk '/^uv==/{p=1;print;next} /^[^ ]/{p=0} p' requirements-dev.txt >local/uv.txt
