"""The files that there are: modules of the app and of the installed distributions, by the names that import them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath

from .imports import Imports, read_imports

APP = "the app"


@dataclass(frozen=True, kw_only=True)
class Module:
    name: str
    path: Path
    owner: str  # a distribution, or APP

    @property
    def is_package(self) -> bool:
        return self.path.stem == "__init__"

    @cached_property
    def imports(self) -> Imports:
        """Of a compiled module nothing can be read."""
        if self.path.suffix != ".py":
            return Imports(dynamic=True)
        return read_imports(self.path.read_bytes(), self.name, is_package=self.is_package)


@dataclass(frozen=True, kw_only=True)
class Tree:
    modules: Mapping[str, Module]
    files: Mapping[str, list[Path]]  # by owner, relative to its root
    requires: Mapping[str, list[str]]
    children: Mapping[str, list[str]] = field(default_factory=dict)

    def owner(self, name: str) -> str | None:
        """Whose module it is; of a namespace such as `azure`, nobody's."""
        module = self.modules.get(name)
        return module.owner if module else None

    def of(self, owner: str) -> list[Module]:
        return [module for module in self.modules.values() if module.owner == owner]


def read_tree(app: Path, app_files: Iterable[Path], site: Path) -> Tree:
    """`app_files` are relative to `app`."""
    files = {APP: sorted(app_files)}
    modules = [_module(app, path, APP) for path in files[APP]]
    requires: dict[str, list[str]] = {}
    for distribution in distributions(path=[str(site)]):
        name = plain(distribution.name)
        files[name] = sorted(_installed(distribution, site))
        requires[name] = [plain(each) for each in distribution.requires or () if "extra ==" not in each]
        modules += [_module(site, path, name) for path in files[name]]
    by_name = {module.name: module for module in modules if module is not None}
    children: dict[str, list[str]] = {}
    for each in by_name:
        children.setdefault(each.rpartition(".")[0], []).append(each)
    return Tree(modules=by_name, files=files, requires=requires, children=children)


def plain(requirement: str) -> str:
    """`PyJWT[crypto]>=2,<3; python_version > "3"`: pyjwt."""
    name = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", name[0] if name else requirement).lower()


def _installed(distribution: Distribution, site: Path) -> list[Path]:
    """What belongs on sys.path: no scripts, which RECORD lists as ../../bin or bin."""
    paths = [Path(str(path)) for path in distribution.files or ()]
    return [path for path in paths if path.parts[0] not in {"..", "bin"} and (site / path).is_file()]


def _module(root: Path, path: Path, owner: str) -> Module | None:
    if path.suffix not in {".py", ".so"}:
        return None
    stem = path.name.partition(".")[0]  # of name.cpython-313-x86_64-linux-gnu.so, too
    parts = [*PurePosixPath(path.parent).parts, *([] if stem == "__init__" else [stem])]
    if not all(part.isidentifier() for part in parts):
        return None
    return Module(name=".".join(parts), path=root / path, owner=owner)
