"""Which attributes a refusal is about, from Graph's own words."""

from __future__ import annotations

import pytest

from sync_core.graph.refusals import refused_attributes
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
        (400, "Another object with the same value for property mail already exists."),
        (400, "A conflicting object with one or more of the specified property values is present in the directory."),
        (409, "Another object with the same value for property mail already exists."),
        (404, "Resource 'city' does not exist."),
    ],
)
def test_a_refusal_that_no_attribute_explains_is_about_none(status: int, message: str) -> None:
    """A word that only reads like an attribute is none, and an address that is taken is free again some day."""
    assert refused_attributes(refusal(message, status), SENT) == set()


def test_sensitive_attributes_explain_nothing_when_none_was_sent() -> None:
    """Then the app lacks a permission, and a person has to see to it."""
    assert refused_attributes(refusal(DENIED, 403), ("city", "displayName")) == set()
