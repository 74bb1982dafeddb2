"""What a newcomer meets first: documents whose links and commands exist, and files that services read."""

from __future__ import annotations

import json
import re
import tomllib
from configparser import ConfigParser
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from sync_core.cli.__main__ import build_parser
from sync_core.ops.endpoints import ENDPOINTS
from tools.checks.source import ROOT, documents
from tools.package.build import app_files
from tools.release.notes import project_version

DOCUMENTS = list(documents())
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
READ_BY_SERVICES = [
    *WORKFLOWS,
    *sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")),
    ROOT / ".github" / "dependabot.yml",
    ROOT / ".pre-commit-config.yaml",
]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_link_of_a_document_leads_somewhere(path: Path) -> None:
    """To a file that is there, and to a heading that it has."""
    dead = []
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(#[^)\s]+)?\)", without_code(path)):
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (ROOT / path).parent / target if target else ROOT / path
        if not file.exists() or (anchor and anchor[1:] not in anchors(file)):
            dead.append(target + anchor)
    assert dead == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_make_target_and_module_of_a_document_exists(path: Path) -> None:
    """A command that is named is one that runs."""
    text = (ROOT / path).read_text(encoding="utf-8")
    assert set(re.findall(r"`make ([a-z]+)", text)) <= TARGETS
    for module in re.findall(r"python -m ((?:tools|tests|bench|local|sync_core)[\w.]*)", text):
        file = ROOT.joinpath(*module.split("."))
        assert file.with_suffix(".py").is_file() or (file / "__main__.py").is_file(), module


def test_every_case_of_the_faults_has_its_tests() -> None:
    """A case without a test is a promise of nobody."""
    cases = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8").split("\n- ")[1:]
    for case in cases:
        named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", case)
        assert named, case
        for file, name in named:
            assert re.search(rf"def {name}\b", (ROOT / "tests" / file).read_text(encoding="utf-8")), name


def test_every_command_and_endpoint_for_operators_has_its_task() -> None:
    """The table has all of them, none that is not there, and names views of the page."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.partition("## By task\n")[2].partition("\n## ")[0]
    told = set(re.findall(r"`((?:GET|POST) [^`]+)`", section))
    assert told == {f"{each.method} {each.path.removeprefix('ops/')}" for each in ENDPOINTS.values()}
    of_a_file = {"validate", "expression", "test-mapping", "import-schema", "export-schema"}
    commands = set(re.findall(r"`xtsync ([a-z-]+)", section))
    assert commands == set(re.findall(r"^    ([a-z-]+)  ", build_parser().format_help(), re.MULTILINE)) - of_a_file
    views = (ROOT / "sync_core" / "web" / "app.js").read_text(encoding="utf-8")
    assert [view for view in re.findall(r"\*([A-Z][a-z ]+)\*", section) if f'"{view}"' not in views] == []


def test_the_reading_path_takes_twenty_minutes_and_names_what_is_there() -> None:
    """Each step's file has the names that the step tells the reader to look for."""
    steps = re.findall(r"^\d+\. \((\d+)\) (.*(?:\n   .*)*)", CONTRIBUTING, re.MULTILINE)
    assert sum(int(minutes) for minutes, _ in steps) == 20
    for _, step in steps:
        link = re.search(r"\]\(([^)#]+)", step)
        assert link is not None
        source = (ROOT / link[1]).read_text(encoding="utf-8")
        for name in re.findall(r"`([\w.]+)`", step):
            assert re.search(rf"\b{name.rpartition('.')[2]}\b", source), name


@pytest.mark.parametrize("path", READ_BY_SERVICES, ids=lambda path: path.name)
def test_a_file_that_a_service_reads_is_yaml(path: Path) -> None:
    """A fault in one of these is found by nobody until it is needed."""
    assert isinstance(load(path), dict)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_no_more_than_it_needs(path: Path) -> None:
    """Every job has an end, and one that may write checks out nothing: no code of a branch runs with that right."""
    workflow = load(path)
    assert set(workflow["permissions"] or {}) <= {"contents"}
    assert "write" not in (workflow["permissions"] or {}).values()
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 60, name
        uses = " ".join(step.get("uses", "") for step in job["steps"])
        if "write" in job.get("permissions", {}).values():
            assert "checkout" not in uses, name
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False, name


def test_hooks_run_what_the_makefile_runs() -> None:
    """The commit hook is the gate; a hook that named something else would let through what the gate refuses."""
    [repository] = load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    entries = [hook["entry"] for hook in repository["hooks"]]
    assert [entry for entry in entries if entry.startswith("make ")] == ["make lint", "make check"]
    modules = [entry.rpartition(" ")[2] for entry in entries if " -m " in entry]
    assert all(ROOT.joinpath(*module.split(".")).with_suffix(".py").is_file() for module in modules)


def test_the_development_container_sets_everything_up() -> None:
    """By the command that every other way uses."""
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert container["postCreateCommand"] == "make setup"
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert f">={re.search(r'python:([0-9.]+)', container['image'])[1]}," in wanted  # type: ignore[index]


def test_editors_break_lines_where_ruff_does() -> None:
    """One width for the code."""
    config = ConfigParser()
    config.read_string("[top]\n" + (ROOT / ".editorconfig").read_text(encoding="utf-8"))
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    assert int(config["*"]["max_line_length"]) == ruff["line-length"]


def test_the_version_is_the_same_everywhere() -> None:
    """pyproject.toml, the template's name, and the newest section of the change log."""
    version = project_version(ROOT)
    assert load(ROOT / "azure.yaml")["metadata"]["template"] == f"xtsync@{version}"
    newest = re.search(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


def test_the_compiled_requirements_agree() -> None:
    """An update that changed a pin in one file only is finished by `make lock`."""
    app, dev, uv = (pins(ROOT / name) for name in ("requirements.txt", "requirements-dev.txt", "local/uv.txt"))
    assert len(app) > 20
    assert app.items() <= dev.items()
    assert uv.items() <= dev.items()


def test_what_the_emulator_declares_is_in_the_lock() -> None:
    """It is used from its folder, so that nobody else installs what it needs."""
    declared = tomllib.loads((ROOT / "emulator" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = declared["dependencies"] + declared["optional-dependencies"]["tls"]
    pinned = {name.partition("==")[0] for name in pins(ROOT / "requirements-dev.txt")}
    assert {name.partition(">=")[0].lower() for name in needed} <= pinned


def test_what_newcomers_read_is_not_deployed() -> None:
    """Nor what editors and services read."""
    deployed = {path.parts[0] for path in app_files()}
    assert [name for name in deployed if name.endswith(".md") or name.startswith(".")] == []


# --- reading ----------------------------------------------------------------------------------------------------


def without_code(path: Path) -> str:
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(file: Path) -> set[str]:
    """As the hosting platform makes them of headings: lower case, no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def pins(file: Path) -> dict[str, tuple[str, ...]]:
    """By name and version: the hashes."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([\w.\[\]-]+==\S+)", line):
            current = found.setdefault(match[1], [])
        current += re.findall(r"sha256:[0-9a-f]{64}", line)
    assert all(chain(found.values()))
    return {name: tuple(sorted(hashes)) for name, hashes in found.items()}
