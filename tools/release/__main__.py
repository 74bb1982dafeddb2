"""`python -m tools.release check TAG` and `build TAG`: whether a tag may be released, and the files of its release.

.cache/release/xtsync-<version>.zip       what `make package` builds
.cache/release/xtsync-<version>.cdx.json  what is in it
.cache/release/SHA256SUMS                 the digests of both, for `sha256sum --check`
.cache/release/notes.md                   the section of CHANGELOG.md
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

from tools.package.build import ROOT, build

from .notes import faults, notes, project_version
from .sbom import bill

FOLDER = ROOT / ".cache" / "release"


def main() -> int:
    match sys.argv[1:]:
        case ["check", tag]:
            return _check(tag)
        case ["build", tag]:
            return _check(tag) or _build()
    sys.stderr.write("usage: python -m tools.release check|build TAG\n")
    return 2


def _check(tag: str) -> int:
    found = list(faults(tag, project_version(ROOT), _changelog()))
    sys.stderr.writelines(f"release: {fault}\n" for fault in found)
    return int(bool(found))


def _build() -> int:
    version = project_version(ROOT)
    package = build()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    archive = FOLDER / f"xtsync-{version}.zip"
    shutil.copyfile(package.zip, archive)
    parts = FOLDER / f"xtsync-{version}.cdx.json"
    parts.write_text(json.dumps(bill(package.site, archive, version), indent=2) + "\n", encoding="utf-8")
    sums = "".join(f"{_digest(path)}  {path.name}\n" for path in (parts, archive))
    (FOLDER / "SHA256SUMS").write_text(sums, encoding="utf-8")
    (FOLDER / "notes.md").write_text(notes(version, _changelog()), encoding="utf-8")
    sys.stdout.write(sums)
    return 0


def _changelog() -> str:
    return (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
