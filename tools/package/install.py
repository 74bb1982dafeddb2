"""Installs the pinned dependencies for Flex Consumption, whatever this machine is, by hash and from wheels alone."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

# Flex Consumption runs Debian 12 on x86-64; a wheel for manylinux_2_28 runs there and on anything newer.
PLATFORM = "x86_64-manylinux_2_28"


def install(requirements: Path, to: Path) -> None:
    """Safe to repeat: what is up to date is left alone. Raises subprocess.CalledProcessError."""
    wanted = hashlib.sha256(f"{PLATFORM} {sys.version_info[:2]} ".encode() + requirements.read_bytes()).hexdigest()
    stamp = to.with_suffix(".complete")
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    shutil.rmtree(to, ignore_errors=True)
    subprocess.run(
        [
            *(_uv(), "pip", "install", "--quiet", "--target", str(to), "--requirements", str(requirements)),
            *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
            *("--python-version", "3.13", "--python-platform", PLATFORM),
        ],
        check=True,
    )
    stamp.write_text(wanted)


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else "uv"
