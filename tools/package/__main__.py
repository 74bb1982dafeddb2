"""`python -m tools.package`: build the deployment package, and say how large it is and how fast it loads."""

from __future__ import annotations

import sys
import tempfile

from .build import ROOT, build
from .measure import cold_imports, runs_here, size

_TIMES = {"function_app": "function_app", "first_call": "then the first message"}


def main() -> int:
    package = build()
    if package.left_out:
        _say(f"left out      {', '.join(package.left_out)}")
    before, before_files = size(package.full)
    after, after_files = size(package.app)
    sources = sum(path.stat().st_size for path in package.app.rglob("*.pyc"))
    _say(f"dependencies  {_mb(before)} in {before_files:,} files")
    _say(f"package       {_mb(after)} in {after_files:,} files, of which {_mb(sources)} compiled")
    _say(f"zip           {_mb(package.zip.stat().st_size)}  {package.zip.relative_to(ROOT)}")
    if not runs_here():
        _say("cold imports  not measured: the package is for Linux on x86-64")
        return 0
    cold_imports(package.app, runs=1)  # from here on the files are in the page cache
    with tempfile.TemporaryDirectory() as nothing:  # a cache prefix hides the compiled files of the package
        for how, flags in (("", ()), (", were they not compiled", ("-X", f"pycache_prefix={nothing}"))):
            times = cold_imports(package.app, flags=flags)
            parts = (f"{what} {times[key]:.2f} s ({times[f'{key}_cpu']:.2f} s CPU)" for key, what in _TIMES.items())
            _say(f"cold imports  {', '.join(parts)}{how}; median of 5")
    return 0


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
