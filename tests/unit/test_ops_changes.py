"""Every kind of change as a document, as JSON, and in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from sync_core import model
from sync_core.model import MANAGER, Json, Reason
from sync_core.ops.changes import WAYS_OUT, in_words, shown
from sync_core.ops.documents import as_json
from tests.support.clock import START

DAY = timedelta(days=1)
BOSS: dict[str, Json] = {"id": "guest-of-boss", "since": None}
HELD = model.Hold(
    held=model.Disable(attributes={"city": "Oslo"}),
    used=1,
    limit=1,
    meanwhile=model.Update(attributes={"city": "Oslo"}),
)

CHANGES: list[tuple[model.Change, dict[str, Json], str]] = [
    (
        model.Invite(address="ada@contoso.example", display_name="Ada", attributes={"city": "Oslo", MANAGER: None}),
        {"attributes": ["city", "manager"]},
        "Invite: city, manager",
    ),
    (model.Adopt(target_id="guest-1"), {"attributes": [], "target_id": "guest-1"}, "Adopt guest-1"),
    (
        model.Update(attributes={MANAGER: BOSS}),
        {"attributes": ["manager"], "manager": "guest-of-boss"},
        "Update: manager (manager guest-of-boss)",
    ),
    (
        model.Disable(attributes={"city": "Oslo", MANAGER: None}),
        {"attributes": ["city", "manager"], "manager": None},
        "Disable: city, manager (manager nobody)",
    ),
    (model.Restore(), {"attributes": []}, "Restore"),
    (
        model.SoftDelete(why="source user gone"),
        {"attributes": [], "reason": "source user gone"},
        "SoftDelete: source user gone",
    ),
    (model.Forget(), {"attributes": []}, "Forget"),
    (model.Unlink(), {"attributes": []}, "Unlink"),
    (model.ResetRedemption(address="x"), {"attributes": []}, "ResetRedemption"),
    (model.HandOver(to="staff"), {"attributes": [], "to": "staff"}, "HandOver to staff"),
    (model.LetGo(target_id="guest-1"), {"attributes": [], "target_id": "guest-1"}, "LetGo guest-1"),
    (
        HELD,
        {
            "attributes": ["city"],
            "held": {"change": "Disable", "attributes": ["city"]},
            "used": 1,
            "limit": 1,
            "counts": "sync",
            "window_s": 86_400.0,
        },
        "Hold of Disable: city: 1 of at most 1 deletions are used in 24 h: city",
    ),
    (
        replace(HELD, counts=model.Counts.TARGET, window=model.MONTH, meanwhile=None),
        {
            "attributes": [],
            "held": {"change": "Disable", "attributes": ["city"]},
            "used": 1,
            "limit": 1,
            "counts": "target",
            "window_s": 2_592_000.0,
        },
        "Hold of Disable: city: 1 of at most 1 deletions into the target tenant are used in 30 days",
    ),
    (
        model.Postpone(postponed=model.Update(attributes={"city": "Oslo"}), because=model.Postponed.OBSERVED),
        {"attributes": ["city"], "postponed": {"change": "Update", "attributes": ["city"]}, "because": "observe"},
        "Postpone of Update: city: the sync observes",
    ),
    (model.Skip(reason=Reason.NO_CHANGE), {"attributes": [], "reason": "no change"}, "Skip: no change"),
    (
        model.Skip(reason=Reason.IGNORED),
        {"attributes": [], "reason": "ignored", "hint": WAYS_OUT[Reason.IGNORED]},
        "Skip: ignored",
    ),
    (
        model.Refuse(reason=Reason.AMBIGUOUS, detail="guest-1, guest-2"),
        {"attributes": [], "reason": "ambiguous", "detail": "guest-1, guest-2", "hint": WAYS_OUT[Reason.AMBIGUOUS]},
        "Refuse: ambiguous (guest-1, guest-2)",
    ),
    (
        model.Refuse(reason=Reason.NO_ADDRESS),
        {"attributes": [], "reason": "no address", "detail": None, "hint": WAYS_OUT[Reason.NO_ADDRESS]},
        "Refuse: no address",
    ),
]


@pytest.mark.parametrize(("change", "document", "words"), CHANGES)
def test_a_change_is_shown_by_names(change: model.Change, document: dict[str, Json], words: str) -> None:
    """Names of attributes, and ids; no values."""
    assert as_json(shown(change)) == {"change": type(change).__name__, **document}
    assert in_words(shown(change)) == words


@pytest.mark.parametrize(
    ("reason", "until", "words"),
    [
        (Reason.LEAVING, START + DAY, "2026-01-05 09:00:00 UTC; at 2026-01-06 09:00:00 UTC soft_delete"),
        (Reason.KEPT, START + DAY, "2026-01-05 09:00:00 UTC; kept until 2026-01-06 09:00:00 UTC, then soft_delete"),
        (Reason.NO_CHANGE, None, "2026-01-05 09:00:00 UTC"),
    ],
)
def test_a_user_between_two_stages_is_shown_with_what_comes(reason: Reason, until: datetime | None, words: str) -> None:
    """The stage that was reached, and when the next one comes; at the last stage nothing does."""
    then = None if until is None else model.Deprovision.SOFT_DELETE
    leaving = model.Leaving(stage=model.Deprovision.DISABLE, since=START, until=until, then=then)
    change = model.Stay(reason=reason, leaving=leaving)
    assert in_words(shown(change)) == f"Stay: disable since {words}"
    assert as_json(shown(change)) == {
        "change": "Stay",
        "attributes": [],
        "reason": reason.value,
        "stage": "disable",
        "since": "2026-01-05T09:00:00.000000Z",
        "then": then,
        "until": None if until is None else "2026-01-06T09:00:00.000000Z",
    }


def test_every_kind_of_change_is_shown() -> None:
    """A new kind needs a document, or a plan would end in an error."""
    kinds = {kind.__name__ for kind in model.Change.__subclasses__() if kind.__module__ == model.Change.__module__}
    assert kinds == {type(change).__name__ for change, _, _ in CHANGES}


def test_values_are_shown_on_request() -> None:
    """Also those of the change that is held; a manager is an id and is shown anyway."""
    assert as_json(shown(HELD, values=True)) == {
        "change": "Hold",
        "attributes": ["city"],
        "values": {"city": "Oslo"},
        "held": {"change": "Disable", "attributes": ["city"], "values": {"city": "Oslo"}},
        "used": 1,
        "limit": 1,
        "counts": "sync",
        "window_s": 86_400.0,
    }
    invited = shown(
        model.Invite(address="ada@contoso.example", display_name=None, attributes={MANAGER: BOSS}), values=True
    )
    assert as_json(invited) == {
        "change": "Invite",
        "attributes": ["manager"],
        "values": {},
        "manager": "guest-of-boss",
        "address": "ada@contoso.example",
        "display_name": None,
    }


def test_what_no_document_shows_is_an_error() -> None:
    """Neither an unknown change nor an unknown type of value becomes JSON by chance."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Odd(model.Change):
        pass

    with pytest.raises(TypeError, match="of the kind Odd"):
        shown(Odd())
    with pytest.raises(TypeError, match="no document has a set"):
        as_json({"seen": {1, 2}})
