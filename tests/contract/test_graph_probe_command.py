"""`graph-probe` as a person calls it, against the emulator on a port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from entra_graph_emulator.serving import Served, serving
from entra_graph_emulator.testing import FABRIKAM
from graph_probe.__main__ import main
from graph_probe.journal import Journal


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("PROBE_SECRET", "any")
    with serving() as served:
        served.control("POST", "/tenants", {"id": FABRIKAM, "domain": "fabrikam.com", "users": 3, "seed": 1})
        served.control("PUT", f"/tenants/{FABRIKAM}/settings", {"visibility_s": 0.0})
        yield served


def probe(command: str, graph: Served, *more: str) -> int:
    app = ("--tenant", FABRIKAM, "--client-id", "probe", "--secret-env", "PROBE_SECRET", "--graph", graph.url)
    return main([command, *app, *more])


def only(folder: Path) -> tuple[Path, dict[str, Any]]:
    (path,) = folder.glob("*.json")
    return path, json.loads(path.read_text())


def test_a_run_reads_and_is_compared(graph: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file has the readings; the same tenant differs in nothing, and one that answers otherwise in that."""
    assert probe("run", graph, "--out", str(tmp_path)) == 0
    path, said = only(tmp_path)
    assert (said["writes"], said["graph"]) == (False, "another")
    assert {each["probe"][0] for each in said["results"]} == {"R"}
    assert probe("compare", graph, str(path)) == 0
    graph.control("PUT", f"/tenants/{FABRIKAM}/settings", {"select_adds_id": False})
    capsys.readouterr()
    assert probe("compare", graph, str(path), "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)["differences"]
    assert (found["probe"], found["settings"]) == ("R01", {"select_adds_id": True})
    assert main(["settings", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["select_adds_id"] is True


def test_a_run_that_writes_cleans_up(graph: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the tenant typed twice and a domain of it; what a crash left goes by the journal."""
    own = ("--write", "--i-own", FABRIKAM, "--expect-domain", "fabrikam.com", "--out", str(tmp_path))
    assert probe("run", graph, *own) == 0
    path, said = only(tmp_path)
    assert {each["probe"][0] for each in said["results"]} == {"R", "W"}
    assert Journal(path.with_suffix(".journal")).left == []
    Journal(path.with_suffix(".journal")).intend("users", f"zz-probe-{said['run']}-99")
    assert probe("cleanup", graph, str(path)) == 0
    assert "0 objects are left" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--write"], "--i-own is not the tenant"),
        (["--write", "--i-own", FABRIKAM, "--expect-domain", "contoso.com"], "no verified domain"),
        (["--secret-env", "NOT_THERE"], "--client-id and --secret-env"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(
    graph: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    """Exit code 2, and nothing is written."""
    assert probe("run", graph, "--out", str(tmp_path), *more) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.glob("*.json")) == []


def test_a_file_that_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2."""
    (tmp_path / "x.json").write_text("{}")
    assert main(["settings", str(tmp_path / "x.json")]) == 2
    assert "no run of this version" in capsys.readouterr().err
