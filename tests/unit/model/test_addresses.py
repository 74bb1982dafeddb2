"""Every address by which a search finds a user."""

from __future__ import annotations

import pytest

from sync_core.model import Json, addresses_of


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({}, ""),
        ({"userPrincipalName": "Ada@Contoso.com", "mail": None}, "ada@contoso.com"),
        ({"mail": "ada@contoso.com", "otherMails": ["A@b.com", "c@d.com", None]}, "ada@contoso.com a@b.com c@d.com"),
        ({"proxyAddresses": ["SMTP:Ada@b.com", "smtp:a@b.com", "X500:/o=x", "SPO:x@y.com"]}, "ada@b.com a@b.com"),
        ({"mail": "", "proxyAddresses": None, "otherMails": "x@y.com"}, ""),
    ],
)
def test_addresses(attributes: dict[str, Json], found: str) -> None:
    """In lower case, of each place that may have one; what is no mail address, or no text, is none."""
    assert addresses_of(attributes) == set(found.split())
