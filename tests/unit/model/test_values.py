"""The nouns: who is external, which address is invited, and what fingerprints and digests promise."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from sync_core.model import (
    Attributes,
    Disable,
    HandOver,
    Json,
    LinkState,
    Occasion,
    SourceState,
    SourceUser,
    Update,
    digest,
    fingerprint,
    fingerprints,
    is_external,
)
from tests.support.clock import START
from tests.support.make import ADA, CONTOSO, link, sync

_json: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
_attributes = st.dictionaries(st.text(max_size=8), _json, max_size=6)


def user(attributes: Attributes, state: SourceState = SourceState.LIVE) -> SourceUser:
    return SourceUser(id=ADA, state=state, attributes=attributes, read_at=START)


@pytest.mark.parametrize(
    ("attributes", "external"),
    [
        ({}, False),
        ({"userType": "Guest"}, False),
        ({"userType": "Member", "creationType": "Invitation"}, True),
        ({"creationType": "LocalAccount"}, False),
        ({"externalUserState": "PendingAcceptance"}, True),
        ({"externalUserState": None}, False),
        ({"userPrincipalName": "ada_contoso.example#EXT#@fabrikam.example"}, True),
        ({"userPrincipalName": "ada_contoso.example#ext#@fabrikam.example"}, True),
        ({"userPrincipalName": "external@contoso.example"}, False),
        ({"userPrincipalName": None}, False),
    ],
)
def test_a_b2b_user_is_told_by_its_origin_and_not_by_its_user_type(attributes: Attributes, external: bool) -> None:
    """An internal guest is internal, and a B2B user who was made a member is still external."""
    assert is_external(attributes) is external
    assert user(attributes).external is external


@pytest.mark.parametrize(
    ("attributes", "address"),
    [
        ({"mail": "a@b.example", "userPrincipalName": "upn@b.example"}, "a@b.example"),
        ({"mail": None, "userPrincipalName": "upn@b.example"}, "upn@b.example"),
        ({"mail": "", "userPrincipalName": "upn@b.example"}, "upn@b.example"),
        ({"mail": ["a@b.example"]}, None),
        ({}, None),
    ],
)
def test_the_address_is_the_mail_else_the_user_principal_name(attributes: Attributes, address: str | None) -> None:
    """A person without a mailbox is invited under the name they sign in with."""
    assert user(attributes).address == address


def test_absent_is_soft_deleted_or_gone() -> None:
    """A disabled user is still there."""
    absent = {state for state in SourceState if user({}, state).absent}
    assert absent == {SourceState.SOFT_DELETED, SourceState.GONE}


@given(_json)
def test_a_fingerprint_is_short_and_stable(value: Json) -> None:
    """The same value always has the same 16 hexadecimal digits; they show nothing of the value."""
    assert fingerprint(value) == fingerprint(value)
    assert len(fingerprint(value)) == 16
    int(fingerprint(value), 16)


def test_fingerprints_are_those_of_yesterday() -> None:
    """Links are stored: another way to compute would write every attribute of everybody once more."""
    assert fingerprint("Ada") == "c10fcbc78fa71f26"
    assert fingerprint(None) == "7376b2cbfa0ad26e"
    assert digest({"city": fingerprint("Oslo")}) == "2aa16e9a9169bbd1"


@given(_json, _json)
def test_different_values_have_different_fingerprints(one: Json, other: Json) -> None:
    """True, 1 and "1", null and "" are told apart, for Graph tells them apart."""
    assert (fingerprint(one) == fingerprint(other)) == (repr(_sorted(one)) == repr(_sorted(other)))


@given(_attributes, st.randoms(use_true_random=False))
def test_the_order_of_attributes_does_not_matter(attributes: Attributes, rng: random.Random) -> None:
    """Graph answers in any order; the digest is the same."""
    shuffled = list(attributes.items())
    rng.shuffle(shuffled)
    assert digest(fingerprints(dict(shuffled))) == digest(fingerprints(attributes))


@given(_attributes, st.text(max_size=8), _json)
def test_another_value_gives_another_digest(attributes: Attributes, name: str, value: Json) -> None:
    """A feed that compares digests misses no difference."""
    changed = {**attributes, name: value}
    same = name in attributes and fingerprint(attributes[name]) == fingerprint(value)
    assert (digest(fingerprints(changed)) == digest(fingerprints(attributes))) == same


def test_half_a_surrogate_pair_has_a_fingerprint_too() -> None:
    """What JSON can carry must not stop a user."""
    assert fingerprint("\ud800") != fingerprint("\udfff")


@pytest.mark.parametrize("state", LinkState)
def test_only_a_clean_linked_record_has_a_digest(state: LinkState) -> None:
    """A feed compares with a digest only what is to be trusted; an empty one never compares equal."""
    applied = fingerprints({"city": "Oslo"})
    assert link(state, applied=applied).digest == (digest(applied) if state is LinkState.LINKED else "")
    assert link(state, applied=applied, dirty=True).digest == ""
    assert link(LinkState.LINKED).digest != "", "linked with nothing to write is still linked"


def test_a_link_is_ours_from_the_adoption_on() -> None:
    """Seen and inviting users own nobody yet; a deleted or lost target user is still ours."""
    ours = {state for state in LinkState if link(state).ours}
    assert ours == {LinkState.LINKED, LinkState.DELETED, LinkState.LOST}


def test_a_change_is_named_and_says_whether_it_removes() -> None:
    """What the guard counts is a property of the change."""
    assert Update(attributes={}).name == "Update"
    assert not Update(attributes={}).removes
    assert Disable(attributes={}).removes


def test_values_cannot_be_changed() -> None:
    """Frozen and slotted: nobody alters what somebody else decided on."""
    with pytest.raises(AttributeError):
        user({}).read_at = datetime(2026, 1, 1, tzinfo=UTC)  # type: ignore[misc]


def _sorted(value: Json) -> Json:
    match value:
        case dict():
            return {name: _sorted(value[name]) for name in sorted(value)}
        case list():
            return [_sorted(each) for each in value]
        case _:
            return value


def test_two_syncs_share_tenants_if_both_ends_are_the_same() -> None:
    """Another name and the same tenants: one of them can take a person over from the other."""
    assert sync().shares_tenants(sync(name="staff"))
    assert not sync().shares_tenants(sync())
    assert not sync().shares_tenants(replace(sync(name="staff"), target=CONTOSO))


def test_reports_can_refer_to_a_linked_user_alone() -> None:
    """To one life of the target user: the time of the link is part of it."""
    assert link(LinkState.SEEN).reference is None
    assert link(LinkState.LINKED, target_id="g", linked_at=START).reference == {"id": "g", "since": START.isoformat()}
    assert link(LinkState.LINKED, target_id="g").reference == {"id": "g", "since": None}


def test_every_occasion_of_a_notice_has_its_words() -> None:
    """A receiver reads them; two occasions never read the same."""
    assert len({occasion.words for occasion in Occasion}) == len(Occasion)


def test_a_hand_over_touches_the_pair() -> None:
    """Nothing is written to the target, and the link of another sync begins."""
    assert HandOver(to="staff").touches
