"""Lays out what is deployed, compiles it, and zips it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .closure import Closure, reach
from .install import install
from .tree import APP, Module, Tree, read_tree

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(".python_packages/lib/site-packages")  # where the worker looks
ZIP = "xtsync.zip"
_WWWROOT = "/home/site/wwwroot"
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip can say
_ONLY_FOR_BUILDING = {".pyi", ".pyx", ".pxd", ".c", ".h", ".cpp", ".hpp"}
_METADATA = {"METADATA", "entry_points.txt"}  # and licences; RECORD and the like are for uninstalling


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    app: Path
    zip: Path
    full: Path
    left_out: tuple[str, ...] = ()  # distributions; empty when nothing had to be built

    @property
    def site(self) -> Path:
        return self.app / SITE


def build(folder: Path = ROOT / ".cache" / "package") -> Package:
    """What was built from the same files before is left alone."""
    if sys.version_info[:2] != (3, 13):
        raise RuntimeError("the package is compiled for CPython 3.13, so 3.13 has to build it")
    package = Package(app=folder / "app", zip=folder / ZIP, full=folder / "full")
    with _alone(folder):
        wanted = _digest()
        stamp = folder / "app.complete"
        if stamp.is_file() and stamp.read_text() == wanted:
            return package
        stamp.unlink(missing_ok=True)
        install(ROOT / "requirements.txt", package.full)
        tree = read_tree(ROOT, app_files(), package.full)
        closure = reach(tree)
        shutil.rmtree(package.app, ignore_errors=True)
        _lay_out(tree, closure, package)
        _compile(package.app)
        _zip(package.app, package.zip)
        stamp.write_text(wanted)
    left_out = sorted(set(tree.requires) - closure.kept)
    return Package(app=package.app, zip=package.zip, full=package.full, left_out=tuple(left_out))


def app_files() -> list[Path]:
    """What .funcignore leaves, relative to ROOT. Its lines are plain names: a file or folder anywhere."""
    lines = (ROOT / ".funcignore").read_text().splitlines()
    ignored = {line.strip() for line in lines if line.strip() and not line.startswith("#")}

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if path.name in ignored or path.is_symlink():
                continue
            if path.is_dir():
                yield from walk(path)
            else:
                yield path.relative_to(ROOT)

    return list(walk(ROOT))


def _lay_out(tree: Tree, closure: Closure, package: Package) -> None:
    modules = {module.path: module for module in tree.modules.values()}
    for owner, files in tree.files.items():
        if owner != APP and owner not in closure.kept:
            continue
        source, target = (ROOT, package.app) if owner == APP else (package.full, package.site)
        for path in files:
            module = modules.get(source / path)
            if owner in closure.pruned and module is None and not _named(path, tree, owner, closure):
                continue
            if _wanted(path, module, closure):
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / path, target / path)
            elif module is not None and module.name in closure.reached:
                raise RuntimeError(f"{path} is imported, and was about to be left out")
    # azd reads this file from the folder it zips; without one it would leave out what is compiled.
    (package.app / ".funcignore").write_text("# everything in this folder is deployed\n")


def _named(path: Path, tree: Tree, owner: str, closure: Closure) -> bool:
    """Whether a module that stays has the name of this data file in it: otherwise nobody opens it."""
    if _is_metadata(path):
        return True
    staying = [module for module in tree.of(owner) if closure.keeps(module)]
    return any(path.name.encode() in module.path.read_bytes() for module in staying)


def _is_metadata(path: Path) -> bool:
    return path.parts[0].endswith(".dist-info")


def _wanted(path: Path, module: Module | None, closure: Closure) -> bool:
    if _is_metadata(path):
        return path.name in _METADATA or "licenses" in path.parts
    if path.suffix in _ONLY_FOR_BUILDING:
        return False
    if "tests" in path.parts[:-1] or path.name.startswith("_test"):
        return module is not None and module.name in closure.reached  # anyio has a `_testing` that it imports
    return module is None or closure.keeps(module)


def _compile(app: Path) -> None:
    """wwwroot is read-only, so a cold instance would compile everything anew. Unchecked: times do not survive a zip.

    With a fixed seed, because the order of a constant set depends on it, and so would the zip.
    """
    where = ("-s", str(app), "-p", _WWWROOT)
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", *where, str(app)]
    subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "0"}, check=True)


def _zip(app: Path, to: Path) -> None:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in app.rglob("*") if path.is_file() and path.name != ".funcignore"):
            entry = zipfile.ZipInfo(str(path.relative_to(app)), _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, path.read_bytes())


def _digest() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in (*app_files(), *sorted(path.relative_to(ROOT) for path in Path(__file__).parent.glob("*.py"))):
        digest.update(f"{path}\0".encode() + (ROOT / path).read_bytes() + b"\0")
    return digest.hexdigest()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One build at a time in one folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
