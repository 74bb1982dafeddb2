"""What deployment, code and documentation say of each other, asked of the evaluated deployment."""

from __future__ import annotations

import re

import pytest

from tools.infra import INFRA, PAGE, PLAIN, ROOT, page_with, snapshot_of, table

from . import program
from .checks import CHECKS, Check
from .snapshots import Deployment

SNAPSHOTS = ["plain", "private"]


@pytest.mark.parametrize("name", SNAPSHOTS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_deployment_is_as_the_program_needs_it(check: Check, name: str) -> None:
    """No check has anything against any way to deploy."""
    assert list(check(Deployment.committed(name))) == []


def test_every_snapshot_is_checked() -> None:
    """A further way to deploy cannot be forgotten here."""
    assert sorted(path.stem for path in (INFRA / "snapshots").glob("*.bicepparam")) == SNAPSHOTS


def test_every_option_is_in_a_snapshot() -> None:
    """What azd can be told (main.parameters.json) is set by the snapshot that has everything."""
    options = set(re.findall(r'"(\w+)": \{ "value": "\$\{\w+=', (INFRA / "main.parameters.json").read_text()))
    told = re.findall(r"^param (\w+)", (INFRA / "snapshots" / "private.bicepparam").read_text(), re.MULTILINE)
    assert options
    assert options <= set(told)


def test_the_local_example_sets_what_the_code_reads() -> None:
    """Exceptions, for Azure only or for neither, are listed with their reasons."""
    elsewhere = set(program.AZURE_ONLY) | set(program.SET_BY_NEITHER)
    assert set(program.local_settings()) == (program.read_settings() | set(program.LOCAL_ONLY)) - elsewhere


def test_no_setting_is_listed_twice() -> None:
    """Each exception is one kind of exception."""
    lists = (set(program.LOCAL_ONLY), set(program.AZURE_ONLY), set(program.SET_BY_NEITHER))
    assert len(set.union(*lists)) == sum(map(len, lists))


def test_the_page_has_the_table_of_what_is_created() -> None:
    """`make infra` writes it from the plain snapshot."""
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with(page, table(snapshot_of(PLAIN).read_text(encoding="utf-8")))


def test_a_resource_without_a_row_in_the_table_is_told_of() -> None:
    """A new kind of resource gets its sentence before it gets into the documentation."""
    resource = '{"predictedResources": [{"type": "Microsoft.New/things", "name": "new"}]}'
    with pytest.raises(ValueError, match=r"no row for Microsoft.New/things"):
        table(resource)


def test_every_alert_is_explained() -> None:
    """And none is explained that does not exist; what to do about each has a heading of its own."""
    names = [rule.name for rule in Deployment.committed("plain").rules]
    assert re.findall(r"^- `([\w-]+)`: ", _section("Alerts"), re.MULTILINE) == names
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert re.findall(r"^### `([\w-]+)`$", operations, re.MULTILINE) == names


def test_every_permission_is_explained() -> None:
    """What an administrator is asked to grant stands on the page with its reason, and nothing besides."""
    explained = re.findall(r"^\| `([\w.]+)` \|", _section("Permissions"), re.MULTILINE)
    assert sorted(explained) == sorted({**program.AZURE_ROLES, **program.GRAPH_ROLES})


def test_the_package_leaves_out_what_is_never_imported() -> None:
    """And leaves in what is."""
    ignored = {line for line in (ROOT / ".funcignore").read_text().splitlines() if not line.startswith("#")}
    assert {"bench", "docs", "emulator", "infra", "local", "tests", ".venv", "local.settings.json"} <= ignored
    needed = {"function_app.py", "host.json", "requirements.txt", "sync.yaml", "sync_core"}
    needed |= {part for path in (ROOT / "sync_core").rglob("*.py") for part in path.relative_to(ROOT).parts}
    assert not needed & ignored


def test_actions_are_pinned_by_commit() -> None:
    """A tag can be moved."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for action in re.findall(r"uses: (\S+)", path.read_text()):
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action


def _section(title: str) -> str:
    """Of docs/deploy.md, up to the next heading."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found[1]
