"""The two pages about the emulator that are made from code: what it covers, and what its rules rest on. `make docs`."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

from entra_graph_emulator.api.operations import COVERAGE, listed
from entra_graph_emulator.api.router import find
from entra_graph_emulator.odata.entities import BY_NAME
from entra_graph_emulator.odata.paths import normal
from entra_graph_emulator.wire.errors import GraphError

ROOT: Final = Path(__file__).resolve().parents[1]
AREAS: Final = (
    *("users", "groups", "invitations", "subscriptions", "directory/deletedItems", "applications"),
    *("servicePrincipals", "organization", "domains", "policies", "directoryRoles", "contacts"),
)
_ANYBODY: Final = "99999999-9999-9999-9999-999999999999"
# Dates of pages, where a case notes none.
_DATES: Final = {
    "aad-advanced-queries": "2025-08-29",
    "delta-query-overview": "2025-04-30",
    "directoryobject-delta": "2026-08-28",
    "directoryobject-checkmembergroups": "2026-06-12",
    "extensibility-overview": "2025-08-29",
    "group-delta": "2024-10",
    "invitation": "2024-06-06",
    "invitation-post": "2024-10-18",
    "serviceprincipal-list-approleassignedto": "2025-09-04",
    "subscription": "2026-09-17",
    "subscription-post": "2026-05-05",
    "throttling-limits": "2026-02-06",
    "user-update": "2026-07-04",
    "users#who-can-perform-sensitive-actions": "2026-07-03",
}
_UNPROBED: Final = "not confirmed"
_DATE: Final = re.compile(r"\b20\d\d(?:-\d\d){1,2}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    file: Path
    text: Callable[[], str]


def is_emulated(method: str, path: str) -> bool:
    try:
        route, parameters = find(method, normal(path.replace("{}", _ANYBODY).split("/")))
    except GraphError:
        return False
    casts = [each.removeprefix("microsoft.graph.") for each in parameters if each.startswith("microsoft.graph.")]
    return "{cast}" not in route.pattern or all(each in BY_NAME for each in casts)


def coverage() -> str:
    lines = [
        "# What the Graph emulator covers",
        "",
        "Made by `make docs` from the emulator's routes and the request builders of Microsoft's SDK for Python.",
        "`{}` is a key. An operation that is not here is answered 501, with its name and the name of this page.",
        "",
        "| area | here | of |",
        "|---|---|---|",
    ]
    every = {"/".join(path): methods for path, methods in listed() if methods}
    details: list[str] = []
    for area in AREAS:
        mine = {path: methods for path, methods in every.items() if f"{path}/".startswith(f"{area}/")}
        here = {path: [each for each in methods if is_emulated(each, path)] for path, methods in mine.items()}
        count = sum(map(len, here.values()))
        lines.append(f"| [{area}](#{area.replace('/', '').lower()}) | {count} | {sum(map(len, mine.values()))} |")
        details += _area(area, mine, here)
    return "\n".join([*lines, *details, ""])


def _area(area: str, mine: dict[str, tuple[str, ...]], here: dict[str, list[str]]) -> Iterator[str]:
    yield from ("", f"## {area}", "", "| path | here | not here |", "|---|---|---|")
    for path, methods in mine.items():
        if here[path]:
            missing = [each for each in methods if each not in here[path]]
            yield f"| `{path}` | {', '.join(here[path])} | {', '.join(missing)} |"
    empty: dict[str, int] = {}
    covered = {"/".join(path.split("/")[:n]) for path in here if here[path] for n in range(1, path.count("/") + 2)}
    for path, methods in mine.items():
        if not here[path]:
            parts = path.split("/")
            top = next(("/".join(parts[:n]) for n in range(1, len(parts)) if "/".join(parts[:n]) not in covered), path)
            empty[top] = empty.get(top, 0) + len(methods)
    if empty:
        yield from ("", "Not here, with the number of operations:", "")
        yield from (f"- `{path}`: {count}" for path, count in empty.items())


def fidelity() -> str:
    rules = sorted(_rules())
    lines = [
        "# What the Graph emulator rests on",
        "",
        "Made by `make docs` from the cases in `tests/contract`. Each rule stands under the page that states it.",
        "The date is that of the page. A rule is confirmed when a probe of a real tenant has seen it.",
        "",
        "What pages contradict, or do not say, is a [switch](graph-emulator.md#settings).",
        f"[Coverage]({COVERAGE}) has what there is at all.",
        "",
        f"Rules: {len(rules)}. Confirmed by a probe: {sum(probe != _UNPROBED for *_, probe in rules)}.",
    ]
    page = ""
    for source, others, rule, date, probe in rules:
        if source != page:
            page = source
            lines += ["", f"## {_name(source)}", "", f"<{source}>", ""]
        notes = "; ".join(filter(None, [date, f"also {others}" if others else "", probe]))
        lines += wrap(f"- {rule} ({notes})", 120, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join([*lines, ""])


def _rules() -> Iterator[tuple[str, str, str, str, str]]:
    """The first source, the names of the others, the rule, the date and the probe."""
    for file in sorted((ROOT / "tests" / "contract").glob("test_graph_emulator_*.py")):
        module: Any = import_module(f"tests.contract.{file.stem}")
        for name, test in vars(module).items():
            if name.startswith("test_") and getattr(test, "sources", ()):
                sentence = name.removeprefix("test_").replace("_", " ")
                names = [_name(each) for each in test.sources]
                noted = [test.date, *reversed(_DATE.findall(test.__doc__ or "")), *map(_DATES.get, names)]
                date = next(filter(None, noted), "date unknown")
                rule = f"{sentence[0].upper()}{sentence[1:]}"
                yield test.sources[0], ", ".join(names[1:]), rule, date, test.probe or _UNPROBED


def _name(source: str) -> str:
    """The last part of a page's address; an issue has its repository in front."""
    *_, repository, kind, name = source.split("/")
    return f"{repository} {name}" if kind == "issues" else name


PAGES: Final = (
    Page(file=ROOT / "docs" / COVERAGE, text=coverage),
    Page(file=ROOT / "docs" / "graph-emulator-fidelity.md", text=fidelity),
)


def main() -> None:
    for page in PAGES:
        page.file.write_text(page.text(), "utf-8")


if __name__ == "__main__":
    main()
