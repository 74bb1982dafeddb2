"""Decisions in sentences for a helpdesk."""

from __future__ import annotations

import pytest

from sync_core.model import Postponed, Reason
from sync_core.ops import documents
from sync_core.ops.plain import change_in_words, kind_in_words, reason_in_words

KINDS = {
    "Hold of SoftDelete": "held until a person decides: delete in the target",
    "Postpone of Hold of Disable": "put off by now: held until a person decides: disable in the target",
    "Invite, waiting for approval": "invite into the target, once a person lets this newcomer in",
    "Refuse: unadopted": "leave alone: a guest with this address is in the target already, and waits for a word",
    "error: 503": "could not be decided: 503",
    "OfTomorrow": "OfTomorrow",
}
NONE: tuple[str, ...] = ()
CHANGES = (
    (documents.Update(attributes=["city"]), "write city"),
    (
        documents.Postpone(
            attributes=["city"], postponed=documents.Update(attributes=["city"]), because=Postponed.PAUSED
        ),
        "write city; this is put off, since the sync is paused",
    ),
    (documents.Adopt(attributes=NONE, target_id="guest-1"), "adopt target user guest-1"),
    (documents.LetGo(attributes=NONE, target_id="g"), "unlink target user g, and leave it alone"),
    (documents.Unlink(attributes=NONE), "end the pair, as a person asked, and leave the user of the target alone"),
    (documents.ResetRedemption(attributes=NONE), "have the invitation redeemed anew"),
    (documents.HandOver(attributes=NONE, to="other"), "hand over to other"),
    (documents.Restore(attributes=NONE), "restore in the target"),
    (documents.Skip(attributes=NONE, reason=Reason.NO_CHANGE), "nothing: all was written as it should be"),
    (documents.Skip(attributes=NONE, reason=Reason.IGNORED), "nothing: ignored"),
    (
        documents.Refuse(attributes=NONE, reason=Reason.NO_ADDRESS, detail=None, hint=None),
        "leave alone: the source user has no address to invite",
    ),
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_a_plan_is_a_sentence(kind: str) -> None:
    """No name of a decision is left; one that is not known stands as it is."""
    assert kind_in_words(kind) == KINDS[kind]


@pytest.mark.parametrize(("change", "words"), CHANGES, ids=[type(each).__name__ + words[:9] for each, words in CHANGES])
def test_a_change_is_a_sentence(change: documents.Change, words: str) -> None:
    """With what it is about, and with no more attributes than would be written."""
    assert change_in_words(change) == words


def test_a_reason_that_is_not_known_stands_as_it_is() -> None:
    """An error of Graph parks people, too."""
    assert reason_in_words("OfTomorrow") == "OfTomorrow"
