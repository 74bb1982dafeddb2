"""The callers of an operator endpoint: what App Service authentication writes, and nothing that only looks like it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from sync_core.ops.principal import Principal, Role, read_principal
from tests.support.principals import OPERATOR_ID, principal


def encoded(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def document(*claims: dict[str, Any], **other: object) -> str:
    return encoded({"auth_typ": "aad", "claims": list(claims), **other})


OID = {"typ": "oid", "val": OPERATOR_ID}


def test_roles_and_object_id_are_read() -> None:
    """One claim for each role."""
    assert read_principal(principal("Reader", "Operator")) == Principal(
        object_id=OPERATOR_ID, roles=frozenset({Role.READER, Role.OPERATOR})
    )


def test_the_long_names_of_the_claims_count_too() -> None:
    """As older tokens and .NET have them; the same id under both names is one id."""
    long = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
    same = {"typ": "http://schemas.microsoft.com/identity/claims/objectidentifier", "val": OPERATOR_ID.upper()}
    read = read_principal(document(OID, same, {"typ": long, "val": "Operator"}))
    assert read == Principal(object_id=OPERATOR_ID, roles=frozenset({"Operator"}))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "e30",  # no padding
        "!!!!",
        encoded([]),
        encoded(None),
        encoded({"claims": [OID]}),
        encoded({"auth_typ": "github", "claims": [OID]}),
        encoded({"auth_typ": "aad"}),
        encoded({"auth_typ": "aad", "claims": {"oid": OPERATOR_ID}}),
        document(),
        document({"typ": "oid", "val": "not a guid"}),
        document(OID, {"typ": "oid", "val": "99999999-0000-0000-0000-00000000000b"}),
        document(OID, {"typ": "roles", "val": ["Operator"]}),
        document(OID, {"typ": "roles"}),
        document(OID, "roles"),  # type: ignore[arg-type]
        principal("Operator") + "," + principal("Operator"),
        base64.b64encode(b"[" * 30_000).decode(),
        document(OID, {"typ": "padding", "val": "x" * 70_000}),
    ],
)
def test_anything_else_is_nobody(header: str) -> None:
    """Malformed, of another identity provider, without an id or with two: not one of them gets in."""
    assert read_principal(header) is None


@given(st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()))
def test_no_header_is_too_strange(header: str) -> None:
    """It never raises, and never lets anybody in."""
    assert read_principal(header) is None
