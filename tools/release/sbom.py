"""The bill of materials of a package, as CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/

It is read from the metadata that is in the package itself. So it lists what is deployed: without the dependencies that
were pruned, and with nothing that only tests use. It has no time in it: the same zip gives the same bill.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

type Json = dict[str, object]


def bill(site: Path, archive: Path, version: str) -> Json:
    """Of the zip `archive`, whose dependencies are installed in `site`."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    app = {
        "type": "application",
        "bom-ref": "xtsync",
        "name": "xtsync",
        "version": version,
        "licenses": [{"license": {"id": "MIT"}}],
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }
    parts = sorted(distributions(path=[str(site)]), key=_name)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, digest)}",
        "version": 1,
        "metadata": {"component": app},
        "components": [_component(part) for part in parts],
        "dependencies": list(_dependencies(parts)),
    }


def _component(part: Distribution) -> Json:
    component: Json = {
        "type": "library",
        "bom-ref": _purl(part),
        "name": _name(part),
        "version": part.version,
        "purl": _purl(part),
    }
    if licences := list(_licences(part)):
        component["licenses"] = licences
    return component


def _licences(part: Distribution) -> Iterator[Json]:
    """An SPDX expression where the project gives one, else the text by which it names its licence."""
    if expression := part.metadata.get("License-Expression"):
        yield {"expression": expression}
    elif named := (part.metadata.get("License") or "").strip().partition("\n")[0]:
        yield {"license": {"name": named}}


def _dependencies(parts: list[Distribution]) -> Iterator[Json]:
    """What each part requires of the others; a requirement for another platform or an extra is not among them."""
    known = {_name(part): _purl(part) for part in parts}
    yield {"ref": "xtsync", "dependsOn": sorted(known.values())}
    for part in parts:
        names = {_normal(re.split(r"[^\w.-]", each, maxsplit=1)[0]) for each in part.requires or ()}
        yield {"ref": known[_name(part)], "dependsOn": sorted(known[name] for name in names & known.keys())}


def _purl(part: Distribution) -> str:
    """https://github.com/package-url/purl-spec: of PyPI, by its normalised name."""
    return f"pkg:pypi/{_name(part)}@{part.version}"


def _name(part: Distribution) -> str:
    return _normal(part.metadata["Name"])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
