"""`xtsync history` and `xtsync why`, and the same over HTTP: one document, found by name at the moment of asking."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from sync_core.model import Event, InScope, Kind, Why, Written
from sync_core.model.errors import UnavailableError
from sync_core.ops.documents import ActivityEvent, read_json
from sync_core.ops.sentences import of_event
from tests.support.cli import ADA, BOB, NAME, Bench
from tests.support.clock import START
from tests.support.endpoints import call, said
from tests.support.make import person

HOUR = timedelta(hours=1)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Ada was hired and moved, with an hour in between; then Bob was hired."""
    bench = Bench(tmp_path)
    bench.source.users[ADA] = person("Ada")
    bench.run("sync", ADA)
    bench.clock.advance(HOUR)
    bench.source.users[ADA]["department"] = "Sales"
    bench.run("sync", ADA)
    bench.clock.advance(HOUR)
    bench.source.users[BOB] = person("Bob")
    bench.run("sync", BOB)
    bench.clock.advance(HOUR)
    return bench


def happened(document: Any) -> list[tuple[str, str]]:
    return [(event["user"], event["kind"]) for event in document["events"]]


def test_one_person_by_name(bench: Bench) -> None:
    """Newest first, in words; the name is read now and stands in no row."""
    result = bench.run("history", "ada@contoso.example")
    lines = result.out.splitlines()
    assert result.code == 0
    assert [line[:23] for line in lines[1:3]] == ["2026-01-05 10:00:00 UTC", "2026-01-05 09:00:00 UTC"]
    assert "updated department, when an operator asked" in lines[1]
    assert "invited as target user guest-1" in lines[2]
    assert "Ada" in lines[1]
    assert "ada@" not in str(bench.stored())
    assert bench.built[-1] is True


def test_no_tenant_is_asked_about_an_object_id(bench: Bench) -> None:
    """The record outlives the person, and a laptop without a sign-in to the source can read it."""
    del bench.source.users[ADA]
    bench.faults.calls.clear()
    result = bench.run("history", ADA, "--json")
    assert happened(result.json) == [(ADA, "updated"), (ADA, "invited")]
    assert not [each for each in bench.faults.calls if each.startswith("source.")]


def test_the_record_of_a_former_sync(bench: Bench) -> None:
    """Found by its name; a name that nothing was ever recorded under is a slip."""
    event = Event(at=bench.clock.now(), sync="former", user=ADA, kind=Kind.UPDATED)
    bench.do(bench.storage.activity.record([event]))
    assert happened(bench.run("history", "--sync", "former", "--json").json) == [(ADA, "updated")]
    assert happened(bench.run("history", ADA, "--sync", "former", "--json").json) == [(ADA, "updated")]
    assert happened(said(call(bench, "activity", "Reader", query={"sync": "former", "user": ADA}))) == [
        (ADA, "updated")
    ]
    assert bench.run("history", "--sync", "formr").code == 2


def test_names_that_cannot_be_read_are_left_out(bench: Bench) -> None:
    """The list is there all the same."""
    bench.faults.fail_next("source.read_user", *[UnavailableError()] * 5)
    result = bench.run("history")
    assert result.code == 0
    assert "3 events" in result.out


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        (["--sync", NAME], ["invited", "updated", "invited"]),
        (["--kind", "updated"], ["updated"]),
        (["--kind", "updated,held", "--since", "90m"], []),
        (["--since", "90m"], ["invited"]),
        (["--since", "2026-01-05T10:00", "--until", "2026-01-05T11:00"], ["updated"]),
        (["--until", "2h"], ["invited"]),
        (["--limit", "1"], ["invited"]),
    ],
)
def test_filters(bench: Bench, options: list[str], kinds: list[str]) -> None:
    """By sync, kind and time; the same over HTTP, and as CSV."""
    document = bench.run("history", "--json", *options).json
    assert [event["kind"] for event in document["events"]] == kinds
    query = {name.removeprefix("--"): value for name, value in zip(options[::2], options[1::2], strict=True)}
    assert said(call(bench, "activity", "Reader", query=query)) == document
    rows = list(csv.DictReader(StringIO(bench.run("history", "--csv", *options).out)))
    assert [row["kind"] for row in rows] == kinds


def test_pages(bench: Bench) -> None:
    """`more` of a page is `after` of the next; the last one has none."""
    seen: list[tuple[str, str]] = []
    query = {"limit": "2"}
    while True:
        page = said(call(bench, "activity", "Reader", query=query))
        seen += happened(page)
        if page["more"] is None:
            break
        query["after"] = page["more"]
    assert seen == [(BOB, "invited"), (ADA, "updated"), (ADA, "invited")]
    first = bench.run("history", "--limit", "2", "--json").json
    assert happened(bench.run("history", "--after", first["more"], "--json").json) == seen[2:]


def test_csv_has_everything_and_runs_nothing(bench: Bench) -> None:
    """More than one page; an operator's name that looks like a formula is text."""
    events = [
        Event(at=bench.clock.now() - timedelta(seconds=n), sync=NAME, user=ADA, kind=Kind.APPROVED, operator="=1+1")
        for n in range(1, 1501)
    ]
    bench.do(bench.storage.activity.record(events))
    rows = list(csv.DictReader(StringIO(bench.run("history", "--csv").out)))
    assert len(rows) == 1503
    assert rows[0]["operator"] == "'=1+1"
    assert rows[-1]["attributes"].split()
    assert len(bench.run("history", "--csv", "--limit", "1200").out.splitlines()) == 1201


def test_values_that_were_written(bench: Bench) -> None:
    """In the table, in the documents and as CSV; a value that looks like a formula, or moves the cursor, is text."""
    values = [
        Written(attribute="city", value="=1+1\x1b[2J\u202e"),
        Written(attribute="displayName", value="Ada", before=None, before_known=True, cut=True),
        Written(attribute="mail", value=None, cut=True),
    ]
    bench.do(bench.storage.activity.record([Event(at=bench.clock.now(), sync=NAME, kind=Kind.UPDATED, values=values)]))
    sentence = 'city: "=1+1\\u001b[2J\\u202e"; displayName: nothing -> "Ada" (cut); mail: no room for the value'
    assert sentence in bench.run("history").out
    (event, *_) = bench.run("history", "--json").json["events"]
    assert event["values"][1] == {
        "attribute": "displayName",
        "value": "Ada",
        "before": None,
        "before_known": True,
        "cut": True,
    }
    assert said(call(bench, "activity", "Reader"))["events"][0] == event
    row = next(csv.DictReader(StringIO(bench.run("history", "--csv").out)))
    assert row["values"] == sentence
    del event["values"]
    assert read_json(ActivityEvent, event).values == ()


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"kind": "exploded"}, 400, "no kind of event is named 'exploded'"),
        ({"kind": ","}, 400, "no kind of event"),
        ({"since": "yesterday"}, 400, "'yesterday' is no time"),
        ({"until": "2026-02-30"}, 400, "is no time"),
        ({"since": "99999d"}, 200, ""),
        ({"limit": "0"}, 400, "from 1 to 1000"),
        ({"limit": "1001"}, 400, "from 1 to 1000"),
        ({"limit": "9" * 5000}, 400, "from 1 to 1000"),
        ({"after": "x"}, 400, "`more` of a page"),
        ({"user": "ada@contoso.example"}, 400, "object id"),
        ({"sync": "elsewhere"}, 404, "elsewhere"),
    ],
)
def test_a_question_that_is_none(bench: Bench, query: dict[str, str], status: int, words: str) -> None:
    """The answer says what is wrong with it."""
    refused = call(bench, "activity", "Reader", query=query)
    assert refused.status == status
    assert words in refused.body


def test_a_kind_that_is_none_names_those_there_are(bench: Bench) -> None:
    """Wrong usage: exit code 2."""
    result = bench.run("history", "--kind", "exploded")
    assert result.code == 2
    assert "Kinds are: invited, linked, adopted" in result.err


def test_why_explains_and_tells(bench: Bench) -> None:
    """Where the user stands now, and under it what happened; nothing is written."""
    before = bench.stored()
    result = bench.run("why", "ada@contoso.example")
    assert result.code == 0
    assert result.out.splitlines()[1:] == [
        "  The user is enabled in the source.",
        "  The user is in scope: all internal users.",
        "  Target user guest-1 is linked.",
        "  Nothing is to be done: all was written as it should be.",
        "  What happened, newest first:",
        "    2026-01-05 10:00:00 UTC  updated department, when an operator asked",
        *(line for line in result.out.splitlines() if "invited as target user guest-1" in line),
    ]
    assert bench.stored() == before


def test_why_tells_of_the_pair_and_of_the_target(bench: Bench) -> None:
    """What a person asked for and is not done, and what somebody else edited; no value of it."""
    bench.target.users["guest-1"].attributes["department"] = "Their own"
    bench.run("sync", ADA)
    bench.run("redeem", ADA)
    told = bench.run("why", ADA).out
    assert "Asked for, and not done yet: reset the redemption." in told
    assert re.search(r"Differs in the target since 2026-01-05 \d\d:\d\d:\d\d UTC: department\.", told)
    assert "Their own" not in told


def test_why_says_what_is_in_the_way(bench: Bench) -> None:
    """A refusal has its way out; an attribute that Graph refuses is named; at most ten events follow."""
    other = "dddddddd-0000-0000-0000-000000000004"
    bench.source.users[other] = person("Dora")
    bench.target.add("taken", "dora@contoso.example")
    for _ in range(12):
        bench.run("sync", other)
        bench.clock.advance(HOUR)
    (document,) = bench.run("why", other, "--json").json["results"]
    waits = "a guest with this address is in the target already, and waits for a word"
    assert f"What would have to be done may not be: {waits}." in document["sentences"]
    assert any("xtsync adopt USER" in each for each in document["sentences"])
    assert [event["kind"] for event in document["events"]] == ["refused"] * 10
    assert document["steps"][0]["decision"]["reason"] == "unadopted"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_its_words(kind: Kind) -> None:
    """With all there may be to say, and with nothing."""
    at = START
    bare = of_event(Event(at=at, sync="s", user="u", kind=kind))
    full = of_event(
        Event(
            at=at,
            sync="s",
            user="u",
            kind=kind,
            why=Why.FEED,
            reason="R",
            scope=InScope.IN,
            attributes=("A",),
            target_id="T",
            operator="O",
        )
    )
    assert "{" not in bare + full
    assert full.endswith("after a poll")
