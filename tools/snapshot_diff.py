"""`python -m tools.snapshot_diff BEFORE AFTER`: what a change of the templates changes in a deployment, as Markdown.

Both are folders of snapshots (infra/snapshots of two checkouts). Needs nothing but the standard library, so that a
workflow can run it as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

_LONGEST = 120  # characters of a value that are shown
_ABSENT = object()

type Resources = Mapping[str, Any]


def report(before: Path, after: Path) -> str:
    """One section for each way to deploy; a snapshot that is on one side only is all new, or all gone."""
    names = sorted({path.name for folder in (before, after) for path in folder.glob("*.snapshot.json")})
    sections = [_section(name, _read(before / name), _read(after / name)) for name in names]
    return "\n".join(["# What this changes in a deployment", *sections])


def _section(name: str, before: Resources, after: Resources) -> str:
    lines = [f"- **new** `{each}`" for each in after if each not in before]
    lines += [f"- **gone** `{each}`" for each in before if each not in after]
    for each in after:
        if each in before and (changes := list(_changes(before[each], after[each], ""))):
            lines += [f"- `{each}`", *(f"  - {change}" for change in changes)]
    return "\n".join(["", f"## {name.removesuffix('.snapshot.json')}", "", *(lines or ["Nothing."])])


def _read(path: Path) -> Resources:
    """Resources by type and name, and the outputs as one of them."""
    if not path.exists():
        return {}
    snapshot = json.loads(path.read_text(encoding="utf-8"))
    named = {_name(each): each for each in snapshot["predictedResources"]}
    return {**named, "outputs": snapshot.get("outputs", {})}


def _name(resource: Mapping[str, Any]) -> str:
    properties = resource.get("properties", {})
    name = resource.get("name") or properties.get("uniqueName") or properties.get("name") or ""
    # A role assignment's name is a GUID: what it assigns says more.
    role = str(properties.get("roleDefinitionId", "")).rpartition("/")[2]
    scope = str(resource.get("id", "")).partition("/providers/Microsoft.Authorization/")[0].rpartition("/")[2]
    return f"{resource['type']} {f'{role} on {scope}' if role else name}".strip()


def _changes(before: Any, after: Any, where: str) -> Iterator[str]:
    match before, after:
        case dict(), dict():
            for key in dict.fromkeys([*before, *after]):
                path = f"{where}.{key}" if where else key
                yield from _changes(before.get(key, _ABSENT), after.get(key, _ABSENT), path)
        case list(), list():
            for i, (old, new) in enumerate(zip_longest(before, after, fillvalue=_ABSENT)):
                yield from _changes(old, new, f"{where}[{i}]")
        case _ if before != after:
            yield f"`{where}`: {_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False).replace("`", "'")
    return f"`{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}`"


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    before, after = map(Path, arguments)
    if not after.is_dir():
        sys.stderr.write(f"error: {after} is no folder of snapshots\n")
        return 2
    sys.stdout.write(report(before, after) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
