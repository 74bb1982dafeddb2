"""`xtsync validate`, and where settings come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import CONFIG, SETTINGS, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_validate_says_what_is_valid(bench: Bench) -> None:
    """A good file is named with its syncs, and nothing is built or contacted."""
    result = bench.run("validate")
    assert (result.code, bench.built) == (0, [])
    assert "sync.yaml is valid: 1 sync" in result.out
    assert "contoso-to-fabrikam: contoso -> fabrikam" in result.out


def test_validate_lists_every_fault_with_its_line(bench: Bench) -> None:
    """All faults come together, each with file, line and what to write instead."""
    (bench.folder / "sync.yaml").write_text(CONFIG.replace("target: fabrikam", "target: fabricam") + "    drfit: x\n")
    result = bench.run("validate")
    assert result.code == 2
    assert "sync.yaml:9 syncs[0].drfit: is not known here" in result.out
    (bench.folder / "other.yaml").write_text(CONFIG.replace("target: fabrikam", "target: fabricam"))
    result = bench.run("validate", "other.yaml", "--json")
    assert result.code == 2
    assert result.json == {
        "file": "other.yaml",
        "valid": False,
        "syncs": [],
        "faults": [
            {
                "where": "other.yaml:7 syncs[0].target",
                "message": "no tenant is named 'fabricam' (did you mean 'fabrikam'?)",
            }
        ],
        "warnings": [],
    }


def test_validate_warns_of_what_may_not_be_meant(bench: Bench) -> None:
    """The file is valid all the same, and the exit code is 0."""
    scope = "    scope: { filters: [{ name: A, clauses: [{ attribute: city, operator: REGEX MATCH, value: Os }] }] }\n"
    (bench.folder / "sync.yaml").write_text(CONFIG + scope)
    result = bench.run("validate")
    assert result.code == 0
    assert "warning: sync.yaml:9 syncs[0].scope.filters[0].clauses[0].value: matches the whole value only" in result.out
    assert len(bench.run("validate", "--json").json["warnings"]) == 1


def test_validate_settings_reports_both(bench: Bench) -> None:
    """With --settings the faults of sync.yaml and of the app settings are in one report."""
    bench.environ = {"XTSYNC_WRITE_BUDGET": "many"}
    (bench.folder / "sync.yaml").write_text("tenants: []\n")
    result = bench.run("validate", "--settings", "--json")
    assert result.code == 2
    places = [fault["where"].split()[0] for fault in result.json["faults"]]
    assert "XTSYNC_WRITE_BUDGET" in places
    assert "sync.yaml:1" in places


def test_faults_stop_every_other_command(bench: Bench) -> None:
    """A command that needs the configuration lists all faults as errors and exits with 2."""
    bench.environ = {}
    (bench.folder / "sync.yaml").write_text("syncs: []\n")
    result = bench.run("status")
    assert (result.code, bench.built) == (2, [])
    assert "error: AzureWebJobsStorage: is missing" in result.err
    assert "error: sync.yaml:1 tenants: is missing" in result.err
    assert "hint: Correct the lines above" in result.err


def test_settings_come_from_local_settings_json(bench: Bench) -> None:
    """What the environment lacks is read from local.settings.json, as the Functions host does."""
    bench.environ = {"XTSYNC_CONFIG": "sync.yaml"}
    values = {**SETTINGS, "XTSYNC_CONFIG": "missing.yaml"}
    (bench.folder / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    assert bench.run("status").code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{\n"Values": {,}\n}', "local.settings.json:2: not JSON"),
        ('{"Values": []}', 'has no object "Values"'),
        ('{"IsEncrypted": true, "Values": {}}', "func settings decrypt"),
    ],
)
def test_broken_local_settings_are_a_fault(bench: Bench, content: str, message: str) -> None:
    """A local.settings.json that cannot be used is reported once, with its line."""
    (bench.folder / "local.settings.json").write_text(content)
    result = bench.run("status")
    assert result.code == 2
    assert result.err.count(message) == 1
