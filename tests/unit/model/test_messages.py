"""Queue messages: both sides of the queue read what the other wrote, and nobody else's messages are believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from sync_core.model import FeedRun, LifecycleEvent, Nomination, PlanRun, Why, messages
from sync_core.model.errors import MessageError
from sync_core.model.messages import (
    decode_feed_run,
    decode_lifecycle_event,
    decode_nomination,
    decode_plan_run,
    encode,
)

type Decoder = Callable[[str], object]

DECODERS: list[Decoder] = [decode_nomination, decode_feed_run, decode_lifecycle_event, decode_plan_run]
VALID: dict[str, object] = {
    "v": 1,
    "sync": "a-to-b",
    "user": "u",
    "why": "feed",
    "at": "2026-01-05T09:00:00Z",
    "attempt": 0,
}

_texts = st.text(min_size=1, max_size=256)
_counts = st.integers(0, 10**6)
_zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_times = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9000, 1, 1), timezones=_zones)  # noqa: DTZ001


@given(_texts, _texts, st.sampled_from(Why), _times, _counts, st.just("") | _texts)
def test_a_nomination_comes_back_as_it_was(
    sync: str, user: str, why: Why, at: datetime, attempt: int, config: str
) -> None:
    """What one worker puts on the queue, another one reads, to the microsecond."""
    nomination = Nomination(sync=sync, user=user, why=why, at=at, attempt=attempt, config=config)
    assert decode_nomination(encode(nomination)) == nomination


@given(_texts, _texts, _texts, _counts)
def test_a_feed_run_comes_back_as_it_was(tenant: str, feed: str, round_: str, attempt: int) -> None:
    """A feed goes on in the round that it was in."""
    run = FeedRun(tenant=tenant, feed=feed, round=round_, attempt=attempt)
    assert decode_feed_run(encode(run)) == run


@given(_texts, _counts)
def test_a_plan_run_comes_back_as_it_was(job: str, attempt: int) -> None:
    """A plan goes on, and knows how often it failed."""
    assert decode_plan_run(encode(PlanRun(job=job, attempt=attempt))) == PlanRun(job=job, attempt=attempt)


@given(_texts, _texts, _times)
def test_a_lifecycle_event_comes_back_as_it_was(tenant: str, event: str, at: datetime) -> None:
    """What Graph said about a subscription arrives."""
    heard = LifecycleEvent(tenant=tenant, event=event, at=at)
    assert decode_lifecycle_event(encode(heard)) == heard


def test_a_message_is_one_small_json_object_with_a_version() -> None:
    """The stored shape is part of the design: other releases read it."""
    nomination = Nomination(sync="a-to-b", user="u", why=Why.FEED, at=datetime(2026, 1, 5, 9, 0, tzinfo=UTC))
    assert json.loads(encode(nomination)) == {**VALID, "at": "2026-01-05T09:00:00.000000Z"}


def test_a_message_without_an_attempt_is_the_first() -> None:
    """Operators write messages by hand."""
    without = {name: value for name, value in VALID.items() if name != "attempt"}
    assert decode_nomination(json.dumps(without)).attempt == 0


def test_a_field_of_a_later_version_is_skipped() -> None:
    """So version 0.1, which reads like this, takes a nomination with `config`; what it sends anew has none."""
    assert decode_nomination(json.dumps({**VALID, "later": "x"})) == decode_nomination(json.dumps(VALID))
    assert decode_nomination(json.dumps(VALID)).config == ""


def test_a_trace_travels_with_a_nomination_and_a_version_before_takes_it_for_none() -> None:
    """Both ways: a message of that version has none, and that version skips the field and sends anew without it."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    without = decode_nomination(json.dumps(VALID))
    assert without.traceparent == ""
    carried = replace(without, traceparent=trace)
    assert decode_nomination(encode(carried)) == carried
    assert {**json.loads(encode(carried)), "traceparent": None} == {**json.loads(encode(without)), "traceparent": None}
    assert "traceparent" not in encode(without)


@pytest.mark.parametrize("trace", [None, 1, "", "x", f"00-{'0' * 32}-{'A' * 16}-01", "00-0af7651916cd-b7ad6b71-01\n"])
def test_a_trace_that_cannot_be_read_costs_the_trace_alone(trace: object) -> None:
    """Telemetry stops no work."""
    assert decode_nomination(json.dumps({**VALID, "traceparent": trace})) == decode_nomination(json.dumps(VALID))


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        '"text"',
        "1",
        "{}",
        '{"v":2}',
        '{"v":"1"}',
        "{",
        "\x00",
        "NaN",
        "[" * 100_000,
        "1" * 5_000,
        '{"v":1}',
        '{"v":1,"sync":null,"tenant":null}',
    ],
    ids=lambda body: str(body)[:20],
)
def test_a_body_that_nobody_here_wrote_is_refused(decode: Decoder, body: str) -> None:
    """Whatever stands in the queue, the answer is a MessageError, and the message ends in the poison queue."""
    with pytest.raises(MessageError):
        decode(body)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sync": ""},
        {"sync": "x" * 257},
        {"sync": 1},
        {"user": None},
        {"user": ["u"]},
        {"why": "boredom"},
        {"why": 1},
        {"at": "yesterday"},
        {"at": "2026-01-05T09:00:00"},
        {"at": "2026-99-99T00:00:00Z"},
        {"at": 0},
        {"at": "0001-01-01T00:00:00+01:00"},
        {"at": "9999-12-31T23:59:59-01:00"},
        {"attempt": -1},
        {"attempt": True},
        {"attempt": 1.5},
        {"attempt": "1"},
        {"config": ""},
        {"config": 1},
    ],
    ids=str,
)
def test_a_nomination_with_a_wrong_field_is_refused(wrong: dict[str, object]) -> None:
    """Each field is checked; a time before all times is no exception to the exception."""
    with pytest.raises(MessageError):
        decode_nomination(json.dumps({**VALID, **wrong}))


_hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["feed", VALID["at"]]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from([*VALID, "tenant", "feed", "event"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.text() | _hostile.map(json.dumps) | _hostile.map(lambda at: json.dumps({**VALID, "at": at})))
def test_hostile_bodies_raise_message_errors_only(body: str) -> None:
    """No text makes a decoder raise anything else."""
    for decode in DECODERS:
        with suppress(MessageError):
            decode(body)


def test_a_time_without_a_zone_is_not_guessed_at() -> None:
    """Times are compared as moments, never as text."""
    with pytest.raises(ValueError, match="zone"):
        messages.parse_time("2026-01-05T09:00:00")
    assert messages.parse_time("2026-01-05T10:00:00+01:00") == datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def test_a_poison_queue_is_named_as_the_host_names_it() -> None:
    """The host moves messages there by itself."""
    assert messages.poison_queue(messages.USER_CHANGES) == "user-changes-poison"
