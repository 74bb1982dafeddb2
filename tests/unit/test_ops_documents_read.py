"""The way back from JSON to a document, whatever somebody else wrote there."""

from __future__ import annotations

import pytest

from sync_core.model import Json
from sync_core.ops.documents import Error, FailedUser, PlannedUser, SyncControl, as_json, parsing, read_json

FAILED: dict[str, Json] = {"user": "ada", "change": "error", "reason": "refused", "hint": None}
PLANNED: dict[str, Json] = {"user": "ada", "target_id": None, "why": "new", "change": "Restore", "attributes": []}
PAUSED: dict[str, Json] = {
    "sync": "staff",
    "control": "paused",
    "by": "anna",
    "at": "2026-01-05T09:00:00.000000Z",
    "reason": None,
}


def test_a_document_reads_what_it_wrote() -> None:
    """The fields of a change stand beside those of its user. The types of a document are read once."""
    parsing._hints.cache_clear()  # whatever was read before
    update = {**PLANNED, "change": "Update", "attributes": ["city"], "values": {"city": "Oslo"}}
    for document, said in ((FailedUser, FAILED), (PlannedUser, PLANNED), (PlannedUser, update), (SyncControl, PAUSED)):
        assert as_json(read_json(document, said)) == said


def test_fields_of_a_newer_version_are_passed_over() -> None:
    """An older command still reads a newer app."""
    assert read_json(FailedUser, {**FAILED, "colour": "blue"}) == read_json(FailedUser, FAILED)


@pytest.mark.parametrize(
    ("document", "said", "fault"),
    [
        (Error, [], "Error is no object"),
        (FailedUser, {"user": "ada"}, "FailedUser.reason: is missing"),
        (FailedUser, {**FAILED, "user": 7}, "FailedUser.user: is of another type"),
        (FailedUser, {**FAILED, "change": "none"}, "FailedUser.change: is of another type"),
        (FailedUser, {**FAILED, "hint": 7}, "FailedUser.hint: is of no known kind"),
        (PlannedUser, {**PLANNED, "change": "Unheard"}, "PlannedUser.planned: is of no known kind"),
        (PlannedUser, {**PLANNED, "change": "Update", "values": 7}, "PlannedUser.planned: is of no known kind"),
    ],
)
def test_what_does_not_fit_is_named_and_not_quoted(document: type, said: object, fault: str) -> None:
    """The field and its document: a value may be somebody's name."""
    with pytest.raises(ValueError, match=f"^{fault}$"):
        read_json(document, said)
