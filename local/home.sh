#!/bin/sh
# Prints the home folder, where pip, uv and npm keep caches. Where the user has none that can be written, it is one here.
if [ -n "${HOME:-}" ] && mkdir -p "$HOME/.cache" 2>/dev/null && [ -w "$HOME/.cache" ]; then
    printf '%s\n' "$HOME"
else
    cd "$(dirname "$0")/.." && mkdir -p .cache/home && printf '%s\n' "$PWD/.cache/home"
fi
