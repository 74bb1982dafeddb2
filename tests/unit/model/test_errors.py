"""What errors say to people: a code for the record, and the remedy."""

from __future__ import annotations

import pytest

from sync_core.model import Reason
from sync_core.model.errors import AddressTakenError, DomainsUnknownError, PermanentError, UnconfiguredHeirError


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (AddressTakenError("taken"), "xtsync adopt USER"),
        (DomainsUnknownError(), "Organization.Read.All"),
        (UnconfiguredHeirError("staff"), "xtsync rename staff NAME"),
    ],
    ids=repr,
)
def test_an_error_that_waits_for_a_person_names_the_remedy(error: PermanentError, remedy: str) -> None:
    """Each in its own words, with the names of the case."""
    assert error.hint is not None
    assert remedy in error.hint


def test_a_taken_address_has_the_code_of_its_refusal() -> None:
    """Whether it was known before the write or Graph refused it, the record says the same."""
    assert AddressTakenError("taken").code == Reason.ADDRESS_TAKEN
