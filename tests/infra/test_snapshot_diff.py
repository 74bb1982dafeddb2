"""The difference that a pull request shows is of the deployment, and complete."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.infra import INFRA
from tools.snapshot_diff import main, report

PLAIN = (INFRA / "snapshots" / "plain.snapshot.json").read_text(encoding="utf-8")


def _folders(tmp_path: Path, before: str | None, after: str) -> tuple[Path, Path]:
    for name, text in (("before", before), ("after", after)):
        (tmp_path / name).mkdir()
        if text is not None:
            (tmp_path / name / "plain.snapshot.json").write_text(text, encoding="utf-8")
    return tmp_path / "before", tmp_path / "after"


def test_the_same_deployment_changes_nothing(tmp_path: Path) -> None:
    """However the file is laid out."""
    said = report(*_folders(tmp_path, PLAIN, json.dumps(json.loads(PLAIN))))
    assert said == "# What this changes in a deployment\n\n## plain\n\nNothing."


def test_each_change_is_named_with_both_values(tmp_path: Path) -> None:
    """A property that changed, one that went, one that came; a resource that went, and one that came."""
    snapshot = json.loads(PLAIN)
    by_type = {each["type"]: each for each in snapshot["predictedResources"]}
    storage = by_type["Microsoft.Storage/storageAccounts"]["properties"]
    storage["allowSharedKeyAccess"] = True
    del storage["minimumTlsVersion"]
    by_type["Microsoft.Web/sites/config"]["properties"]["NEW_SETTING"] = "x" * 500
    queue = by_type["Microsoft.Storage/storageAccounts/queueServices/queues"]
    queue["name"] = queue["name"].replace("plan-jobs-poison", "other")
    snapshot["outputs"]["AZURE_LOCATION"] = "northeurope"
    lines = report(*_folders(tmp_path, PLAIN, json.dumps(snapshot))).splitlines()
    assert "  - `properties.allowSharedKeyAccess`: `false` → `true`" in lines
    assert '  - `properties.minimumTlsVersion`: `"TLS1_2"` → nothing' in lines
    assert [line for line in lines if line.startswith("  - `properties.NEW_SETTING`: nothing → `") and len(line) < 200]
    assert '  - `AZURE_LOCATION`: `"westeurope"` → `"northeurope"`' in lines
    kinds = [line.split("`")[0] for line in lines if "queueServices/queues" in line]
    assert kinds == ["- **new** ", "- **gone** "]


def test_a_role_assignment_is_named_by_what_it_assigns(tmp_path: Path) -> None:
    """Its name is a GUID; of another role on the same scope it says which."""
    owner = PLAIN.replace("974c5e8b-45b9-4653-ba55-5f855dd0fb88", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635")
    said = report(*_folders(tmp_path, PLAIN, owner))
    assert "- **new** `Microsoft.Authorization/roleAssignments 8e3af657-a8ff-443c-a75c-2fe8c4bcb635 on st" in said


def test_a_first_snapshot_is_all_new(tmp_path: Path) -> None:
    """The folder before may have none."""
    assert "**new** `Microsoft.Web/sites func-api-" in report(*_folders(tmp_path, None, PLAIN))


def test_the_command_says_what_it_wants(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two folders, of which the second has to be there."""
    assert main([]) == 2
    assert main([str(tmp_path), str(tmp_path / "nowhere")]) == 2
    assert "is no folder of snapshots" in capsys.readouterr().err
