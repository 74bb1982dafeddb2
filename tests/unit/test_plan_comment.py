"""The comment of a pull request: what a plan says, whatever its texts are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from tools.checks.source import ROOT
from tools.plan_comment import TITLE, comment, main

PLAN = ROOT / "tests" / "unit" / "data" / "documents" / "plan.json"
WORKFLOW = ROOT / ".github" / "workflows" / "plan.yml"
ADA = "aaaaaaaa-0000-0000-0000-000000000001"
HOSTILE = "`</code>\n\n# Approved\n@owners | <img src=x> [x](https://evil.example) ![](https://evil.example/y) ``x``"


def plan(name: str = "a-to-b", kind: str = "Invite", users: int = 1, why: str = "all") -> dict[str, Any]:
    user = {"user": ADA, "why": why, "change": "Invite", "attributes": []}
    return {"syncs": [{"sync": name, "counts": {kind: users}, "users": [user] * users}]}


def test_a_plan_is_counts_and_some_users() -> None:
    """Of the document that the command prints: each kind with its number, takers of access first."""
    document = json.loads(PLAN.read_text(encoding="utf-8"))["document"]
    text = comment(document)
    assert text.startswith(f"{TITLE}\n\n## `contoso-to-fabrikam`\n")
    (sync,) = document["syncs"]
    for kind, number in sync["counts"].items():
        assert f"| `{kind}` | {number} |" in text
    for user in sync["users"]:
        assert f"- `{user['user']}` " in text
    assert comment(plan(users=25)).count(ADA) == 10


def test_nothing_to_do_is_said() -> None:
    """An empty table would look like a fault."""
    assert "Nothing is to be done for those who were looked at." in comment(
        {"syncs": [{"sync": "a", "counts": {}, "users": []}]}
    )


def test_a_fault_of_the_file_is_told_with_its_line() -> None:
    """The error that the command prints instead of a plan."""
    error = {"code": "Refused", "messages": ["sync.yaml:7 x: no", "sync.yaml:9 y: no"], "hint": "Correct them."}
    text = comment({"error": error})
    assert "- `sync.yaml:7 x: no`\n- `sync.yaml:9 y: no`\n\nWhat helps: `Correct them.`" in text


def outside_of_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", text)


@pytest.mark.parametrize(
    "document",
    [
        plan(name=HOSTILE),
        plan(kind=HOSTILE),
        plan(why=HOSTILE),
        {"error": {"code": "x", "messages": [HOSTILE], "hint": HOSTILE}},
    ],
)
def test_no_text_becomes_markup(document: dict[str, Any]) -> None:
    """No heading, mention, link, image or cell: each text stands in a code span of one line."""
    left = outside_of_code(comment(document))
    assert not re.search(r"@|evil|img|Approved|`", left)
    assert left.count("# ") == 2 if "syncs" in document else 1
    cells = [line for line in comment(document).splitlines() if line.startswith("| ")]
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in cells)


@given(st.text(), st.text(), st.text())
def test_whatever_is_quoted_stays_quoted(name: str, kind: str, why: str) -> None:
    """Outside of code spans there is nothing but our own words."""
    left = outside_of_code(comment(plan(name=name, kind=kind, why=why)))
    assert left == outside_of_code(comment(plan()))


def test_a_change_of_an_unknown_name_is_no_markup_either() -> None:
    """It stands in a summary, where there is no code span."""
    document = plan()
    document["syncs"][0]["users"][0]["change"] = "<script>@x"
    assert "<summary>1 of 1: scriptx</summary>" in comment(document)


@pytest.mark.parametrize("syncs", [1, 300])
def test_a_long_plan_is_cut_at_a_line(syncs: int) -> None:
    """GitHub takes 65,536 characters; what is opened is closed, and the way to the rest is named."""
    one = plan(why="x" * 1000, users=50)["syncs"][0]
    text = comment(
        {"syncs": [{**one, "sync": f"s{n}", "counts": {f"kind {k}": 1 for k in range(99)}} for n in range(syncs)]}
    )
    assert len(text) <= 65_536
    assert text.count("<details>") == text.count("</details>")
    assert ("The rest is left out" in text) is (syncs > 1)


def test_the_command_takes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And refuses what no command of ours printed, without a word of it."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(plan()))
    assert main([str(good)]) == 0
    assert capsys.readouterr().out == comment(plan())
    for text in ("", "[]", '{"syncs": [{"sync": "hush"}]}', '{"error": "hush"}'):
        bad.write_text(text)
        assert main([str(bad)]) == 2
        said = capsys.readouterr()
        assert (said.out, "hush" in said.err) == ("", False)
    assert main([]) == 2


def test_only_the_comment_may_be_written_and_only_the_plan_gets_a_token() -> None:
    """No job of a fork has either, and the one with the token runs the program of the base."""
    workflow = yaml.load(WORKFLOW.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    jobs = workflow["jobs"]
    assert set(workflow["on"]) == {"pull_request"}
    assert (workflow["permissions"], set(jobs)) == ({}, {"fork", "gather", "plan", "comment"})
    assert {name: job.get("permissions", {}) for name, job in jobs.items()} == {
        "fork": {},
        "gather": {"contents": "read"},
        "plan": {"id-token": "write"},
        "comment": {"pull-requests": "write"},
    }
    assert "head.repo.full_name == github.repository" in jobs["gather"]["if"]
    assert (jobs["plan"]["needs"], jobs["comment"]["needs"]) == ("gather", "plan")
    sources = [step["with"] for step in jobs["gather"]["steps"] if "checkout" in step.get("uses", "")]
    assert [(each["ref"], each["path"], each.get("sparse-checkout")) for each in sources] == [
        ("${{ github.event.pull_request.base.sha }}", "base", None),
        ("${{ github.event.pull_request.head.sha }}", "head", "/sync.yaml"),
    ]
    scripts = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert not any("${{" in script for script in scripts)
    assert TITLE in jobs["comment"]["steps"][1]["run"]
