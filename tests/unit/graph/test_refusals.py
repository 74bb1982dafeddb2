"""Which attributes a refusal is about, from Graph's own words."""

from __future__ import annotations

import pytest

from sync_core.graph.refusals import divided, refused_attributes
from sync_core.model import Attributes
from sync_core.model.errors import GraphRefusedError

BADGE = "extension_0123456789abcdef0123456789abcdef_badge"
SENT = ("accountEnabled", "city", "displayName", "mail", "mobilePhone", "onPremisesExtensionAttributes", "state", BADGE)
DENIED = "Insufficient privileges to complete the operation."
EXTERNAL = "Unable to update the specified properties for objects that have originated within an external service."
MASTERED = (
    "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently"
    " undergoing migration."
)


def refusal(message: str, status: int = 400) -> GraphRefusedError:
    return GraphRefusedError(status=status, code="Request_BadRequest", message=message)


@pytest.mark.parametrize(
    ("status", "message", "names"),
    [
        (400, "Invalid value specified for property 'city' of resource 'User'.", {"city"}),
        (400, "A value is required for property 'displayName' of resource 'User'.", {"displayName"}),
        (400, "Property city is invalid.", {"city"}),
        (400, "Property 'MAIL' is read-only and cannot be set.", {"mail"}),
        (400, f"The following extension properties are not available: {BADGE}.", {BADGE}),
        (400, "Invalid value specified for property 'extensionAttribute3'.", {"onPremisesExtensionAttributes"}),
        (403, "Insufficient privileges to update property 'city'.", {"city"}),
        (403, DENIED, {"accountEnabled", "mobilePhone"}),
        (400, EXTERNAL, {"mail", "onPremisesExtensionAttributes"}),
        (403, EXTERNAL, {"mail", "onPremisesExtensionAttributes"}),
        (400, MASTERED, {"mail", "onPremisesExtensionAttributes"}),
        (400, "Another object with the same value for property mail already exists.", {"mail"}),
        (409, "Another object with the same value for property mail already exists.", {"mail"}),
        (400, "Another object with the same value for property proxyAddresses already exists.", {"mail"}),
    ],
)
def test_a_refusal_names_or_implies_what_was_sent(status: int, message: str, names: set[str]) -> None:
    """What it names; else what administrators, Exchange or the directory on premises keep for themselves."""
    assert refused_attributes(refusal(message, status), SENT) == names


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, DENIED),
        (400, "Invalid value specified for property 'surname' of resource 'User'."),
        (400, "The state of the mail is not what the city wants."),
        (400, "A conflicting object with one or more of the specified property values is present in the directory."),
        (404, "Resource 'city' does not exist."),
    ],
)
def test_a_refusal_that_no_attribute_explains_is_about_none(status: int, message: str) -> None:
    """A word that only reads like an attribute is none."""
    assert refused_attributes(refusal(message, status), SENT) == set()


def test_sensitive_attributes_explain_nothing_when_none_was_sent() -> None:
    """Then the app lacks a permission, and a person has to see to it."""
    assert refused_attributes(refusal(DENIED, 403), ("city", "displayName")) == set()


def test_the_details_of_a_refusal_name_what_its_text_does_not() -> None:
    """A text in another language or of another day still has its details."""
    error = GraphRefusedError(
        status=400, code="Request_BadRequest", message="No.", targets=("proxyAddresses", "User_1")
    )
    assert refused_attributes(error, SENT) == {"mail"}
    assert refused_attributes(error, ("city", "otherMails")) == {"otherMails"}
    assert divided(error, {"mail": "a", "otherMails": ["b"]}) == (set(), [{"mail": "a"}, {"otherMails": ["b"]}])


def test_of_two_attributes_with_addresses_each_is_sent_by_itself() -> None:
    """The conflict does not say which of them has the address."""
    error = refusal("Another object with the same value for property proxyAddresses already exists.")
    sent: Attributes = {"mail": "a", "otherMails": ["b"], "city": "X"}
    assert divided(error, sent) == (set(), [{"city": "X"}, {"mail": "a"}, {"otherMails": ["b"]}])


def test_a_refusal_that_names_nothing_halves_what_was_sent() -> None:
    """Until one attribute is left, which is the refused one."""
    error = refusal("Invalid request.")
    assert divided(error, {"a": 1, "b": 2, "c": 3}) == (set(), [{"a": 1, "b": 2}, {"c": 3}])
    assert divided(error, {"a": 1}) == ({"a"}, [])


@pytest.mark.parametrize("status", [403, 404, 412])
def test_a_refusal_about_no_attribute_is_raised(status: int) -> None:
    """A missing permission or a gateway's answer is not mended by sending less."""
    with pytest.raises(GraphRefusedError):
        divided(refusal("No.", status), {"city": "X", "displayName": "Ada"})
