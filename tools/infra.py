"""`python -m tools.infra`: formats and lints the templates, then writes what they evaluate to.

It writes infra/snapshots/*.snapshot.json, one for each parameter file there, and in docs/deploy.md the table of what is
created. A diagnostic of any level ends it, and then nothing is written.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tools.bicep import HELP, Compiler, Diagnostic, find_compiler

ROOT = Path(__file__).resolve().parents[1]
INFRA = ROOT / "infra"
PAGE = ROOT / "docs" / "deploy.md"
PLAIN = INFRA / "snapshots" / "plain.bicepparam"
_STORAGE = "Microsoft.Storage/storageAccounts"
BEGIN, END = "<!-- what it creates: made by `make infra` -->", "<!-- end of what it creates -->"

type Resource = dict[str, Any]


def bicep_files(infra: Path = INFRA) -> list[Path]:
    return sorted(infra.rglob("*.bicep"))


def parameter_files(infra: Path = INFRA) -> list[Path]:
    return sorted((infra / "snapshots").glob("*.bicepparam"))


def snapshot_of(parameters: Path) -> Path:
    """Where `bicep snapshot` writes, too."""
    return parameters.with_suffix(".snapshot.json")


def diagnostics(compiler: Compiler, infra: Path = INFRA) -> list[Diagnostic]:
    """Of main.bicep with the modules that it uses, and of the parameter files."""
    files = [infra / "main.bicep", *parameter_files(infra)]
    return list(dict.fromkeys(each for path in files for each in compiler.diagnostics(path)))


# --- the table in docs/deploy.md --------------------------------------------------------------------------------


class Entry(NamedTuple):
    """One row: the resources of these types that it counts, and what they are there for."""

    title: str
    types: Sequence[str]
    purpose: str


ENTRIES = (
    Entry("resource group", ["Microsoft.Resources/resourceGroups"], "all but the registrations"),
    Entry("function app", ["Microsoft.Web/sites"], "the program"),
    Entry("plan", ["Microsoft.Web/serverfarms"], "Flex Consumption"),
    Entry("configuration", ["Microsoft.Web/sites/config"], "sign-in, and the [settings](settings.md)"),
    Entry(
        "password policy", ["Microsoft.Web/sites/basicPublishingCredentialsPolicies"], "no password deploys anything"
    ),
    Entry("managed identity", ["Microsoft.ManagedIdentity/userAssignedIdentities"], "the app, everywhere"),
    Entry("app registration", ["Microsoft.Graph/applications"], "tokens"),
    Entry(
        "federated credential",
        ["Microsoft.Graph/applications/federatedIdentityCredentials"],
        "the identity signs in as the first two registrations, without a secret",
    ),
    Entry(
        "service principal",
        ["Microsoft.Graph/servicePrincipals"],
        "the third registration: only people who are assigned get a token",
    ),
    Entry("app role assignment", ["Microsoft.Graph/appRoleAssignedTo"], "the first operator: the person who deploys"),
    Entry("storage account", [_STORAGE], "all state; it takes no keys"),
    Entry(
        "storage service",
        [f"{_STORAGE}/{each}" for each in ("blobServices", "queueServices", "tableServices")],
        "blobs, queues, tables",
    ),
    Entry("container", [f"{_STORAGE}/blobServices/containers"], "the package"),
    Entry("queue", [f"{_STORAGE}/queueServices/queues"], "work"),
    Entry("table", [f"{_STORAGE}/tableServices/tables"], "state"),
    Entry(
        "role assignment",
        ["Microsoft.Authorization/roleAssignments"],
        "the identity on storage and telemetry, see [Permissions](#permissions)",
    ),
    Entry("log workspace", ["Microsoft.OperationalInsights/workspaces"], "logs"),
    Entry("telemetry", ["Microsoft.Insights/components"], "Application Insights, without a key"),
    Entry("workbook", ["Microsoft.Insights/workbooks"], "charts"),
    Entry("alert rule", ["Microsoft.Insights/scheduledQueryRules"], "see [Alerts](#alerts)"),
)


def table(snapshot: str) -> str:
    """Markdown, from the plain snapshot. Raises ValueError for a type of resource that no row tells of."""
    resources = [each | {"type": each["type"].partition("@")[0]} for each in json.loads(snapshot)["predictedResources"]]
    told = {kind for entry in ENTRIES for kind in entry.types}
    if untold := {each["type"] for each in resources} - told:
        raise ValueError(f"tools/infra.py has no row for {', '.join(sorted(untold))}: add one to ENTRIES")
    rows = [_row(entry, resources) for entry in ENTRIES]
    return "\n".join(["| number | what | name | for |", "|---|---|---|---|", *rows, ""])


def _row(entry: Entry, resources: Sequence[Resource]) -> str:
    here = [each for kind in entry.types for each in resources if each["type"] == kind]
    (token,) = (each["name"][2:] for each in resources if each["type"] == "Microsoft.Storage/storageAccounts")
    names = "" if entry.purpose.startswith("see ") else _list(list(dict.fromkeys(_names(here, token))))
    return f"| {len(here)} | {entry.title} | {names} | {entry.purpose} |"


def _names(resources: Sequence[Resource], token: str) -> Iterator[str]:
    """As a reader meets them; what has a GUID for its name, or a fixed one, has none that helps."""
    for each in resources:
        name = str(each.get("name") or each["properties"].get("uniqueName", "")).rpartition("/")[2]
        if name and not re.fullmatch(r"[0-9a-f-]{36}|default", name):
            yield re.sub(r"(?<=-)xtsync$", "NAME", name.replace(token, "TOKEN"))


def _list(names: Sequence[str]) -> str:
    """With one word for the poison queues, which stand beside their queues."""
    kept = [name for name in names if not name.endswith("-poison")]
    poison = ", and each with `-poison`" if len(kept) < len(names) else ""
    return ", ".join(f"`{name}`" for name in kept) + poison


def page_with(page: str, table: str) -> str:
    """The page with this table between the two markers. ValueError when a marker is missing."""
    before, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    return f"{page[:before]}\n\n{table}\n{page[end:]}"


# --- the command ------------------------------------------------------------------------------------------------


def main() -> int:
    executable = find_compiler()
    if executable is None:
        sys.stderr.write(f"error: {HELP}\n")
        return 1
    with Compiler(executable) as compiler:
        found = diagnostics(compiler)
        for each in found:
            sys.stderr.write(f"{each}\n")
        if found:
            return 1
        for path in [*bicep_files(), *parameter_files()]:
            _write(path, compiler.formatted(path))
        for path in parameter_files():
            _write(snapshot_of(path), compiler.snapshot(path))
    page = PAGE.read_text(encoding="utf-8")
    _write(PAGE, page_with(page, table(snapshot_of(PLAIN).read_text(encoding="utf-8"))))
    return 0


def _write(path: Path, text: str) -> None:
    """Says of a file that changed that it did."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    sys.exit(main())
