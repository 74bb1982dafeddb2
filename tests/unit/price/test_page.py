"""docs/performance.md and its picture are made of the measured figures, and of nothing else."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.storage_log import BLOB, POLL, QUEUE, TABLE, StorageLog, kind_of
from tools.performance_doc import CLOCKED, COUNTS, NOT_MEASURED, PAGE, PICTURE, WORKS, drawn, page
from tools.price.deployed import RESULTS
from tools.price.month import bill, total
from tools.price.picture import picture

from .test_month import BARE, QUIET, WORK

TEXT = PAGE.read_text(encoding="utf-8")


def test_page_and_picture_are_up_to_date() -> None:
    """`make docs` writes them."""
    assert page(TEXT) == TEXT
    assert drawn() == PICTURE.read_text(encoding="utf-8")


def test_another_figure_makes_another_page(tmp_path: Path) -> None:
    """A file of figures that changes without the page is noticed."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    for each in results["figures"]:
        if each["name"] == "a change: other executions":
            each["value"] = 1234
    (tmp_path / RESULTS.name).write_text(json.dumps(results), encoding="utf-8")
    assert "1,234" in page(TEXT, tmp_path)
    assert page(TEXT, tmp_path) != TEXT
    assert drawn(tmp_path) != drawn()


def test_every_count_of_the_page_was_measured() -> None:
    """A name that `bench` no longer gives would be shown as not measured."""
    names = {each["name"] for each in json.loads(RESULTS.read_text(encoding="utf-8"))["figures"]}
    assert {f"{work}: {count}" for work in WORKS for count in COUNTS} <= names


def test_a_time_without_a_file_is_not_measured(tmp_path: Path) -> None:
    """With a file, its figure is shown with its day."""
    shutil.copy(RESULTS, tmp_path)
    assert page(TEXT, tmp_path).count(f"| {NOT_MEASURED} |") == len(CLOCKED)
    scenario, name, what = CLOCKED[0]
    figure = {"name": name, "value": 43.21, "unit": "ms"}
    results = {"figures": [figure], "command": "python -m bench latency --save", "date": "2026-01-02"}
    (tmp_path / f"{scenario}.json").write_text(json.dumps(results), encoding="utf-8")
    made = page(TEXT, tmp_path)
    assert f"| {what} | 43.2 ms | `python -m bench latency --save`, 2026-01-02 |" in made


def test_a_page_without_a_marker_is_not_written() -> None:
    """The table would be nowhere, and nothing would say so."""
    with pytest.raises(ValueError, match="has lost its markers of unit prices: put them back"):
        page(TEXT.replace("made by `make docs`: unit prices", ""))


def test_no_figure_is_quick() -> None:
    """Every file of results is of a whole run, and says how it was made."""
    for path in RESULTS.parent.glob("*.json"):
        results = json.loads(path.read_text(encoding="utf-8"))
        assert results["quick"] is False
        assert results["command"] == f"python -m bench {path.stem} --save"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", results["date"])
        assert {"python", "cpus", "load", "machine", "versions"} <= set(results)
        assert all(each["passed"] is not False for each in results["figures"])


def test_the_picture_has_a_bar_for_each_bill() -> None:
    """Its parts end where the sum stands, and names are escaped."""
    rows = bill(QUIET, BARE, WORK)
    made = ElementTree.fromstring(picture({"<few>": rows}))
    texts = ["".join(each.itertext()) for each in made.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:2] == ["<few>", f"${total(rows):,.0f}"]
    bars = [each for each in made.iter("{http://www.w3.org/2000/svg}rect") if each.get("height") == "30"]
    assert sum(float(each.get("width", "")) for each in bars) == pytest.approx(480, abs=0.5)
    assert "prefers-color-scheme:dark" in picture({"few": rows})


def test_a_picture_without_money_is_drawn() -> None:
    """Nothing is divided by nothing."""
    ElementTree.fromstring(picture({"none": []}))
    ElementTree.fromstring(picture({}))


@pytest.mark.parametrize(
    ("request_line", "kind"),
    [
        ("GET /devstoreaccount1/links(PartitionKey='a',RowKey='b') HTTP/1.1", TABLE),
        ("POST /devstoreaccount1/$batch HTTP/1.1", TABLE),
        ("GET /devstoreaccount1/user-changes/messages?numofmessages=16&visibilitytimeout=600 HTTP/1.1", POLL),
        ("GET /devstoreaccount1/user-changes/messages?peekonly=true HTTP/1.1", QUEUE),
        ("POST /devstoreaccount1/feed-pages/messages HTTP/1.1", QUEUE),
        ("GET /devstoreaccount1/feed-pages-poison?comp=metadata HTTP/1.1", QUEUE),
        ("PUT /devstoreaccount1/azure-webjobs-hosts/locks/a HTTP/1.1", BLOB),
    ],
)
def test_what_kind_of_operation_a_request_is(request_line: str, kind: str) -> None:
    """As the storage account would bill it, with what a host asks a queue apart."""
    assert kind_of(f'127.0.0.1 - - [30/Nov/2026:22:30:20 +0000] "{request_line}" 200 -') == kind


def test_a_log_is_read_from_a_place_on(tmp_path: Path) -> None:
    """Lines that are about no request count as none."""
    path = tmp_path / "storage.log"
    line = '127.0.0.1 - - [30/Nov/2026:22:30:20 +0000] "GET /devstoreaccount1/links() HTTP/1.1" 200 -\n'
    path.write_text(f"Azurite Table service is starting\n{line}", encoding="utf-8")
    log = StorageLog(path)
    assert log.since(0) == {TABLE: 1}
    place = log.end()
    with path.open("a", encoding="utf-8") as file:
        file.write(2 * line)
    assert log.since(place) == {TABLE: 2}
