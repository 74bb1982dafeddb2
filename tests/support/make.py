"""Values with sensible defaults: a sync, its users and links, and the strategies that generate many of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st

from sync_core.mapping import DEFAULT_MAPPING
from sync_core.model import (
    Adoption,
    DeletedInTarget,
    Deprovision,
    Desired,
    GuardLimits,
    Json,
    Link,
    LinkState,
    Policy,
    SourceState,
    SourceUser,
    Sync,
    TargetUser,
    Tenant,
    Verdict,
    fingerprints,
)

from .clock import START

CONTOSO = Tenant(key="contoso", id="11111111-1111-1111-1111-111111111111")
FABRIKAM = Tenant(key="fabrikam", id="22222222-2222-2222-2222-222222222222")
NAME = "contoso-to-fabrikam"

ADA = "aaaaaaaa-0000-0000-0000-000000000001"
BOB = "bbbbbbbb-0000-0000-0000-000000000002"
ADDRESS = "ada@contoso.example"
GUEST = "guest-of-ada"

IN = Verdict(in_scope=True, reason="all internal users")
OUT = Verdict(in_scope=False, reason="no group")


def sync(*, policy: Policy | None = None, guard: GuardLimits | None = None, name: str = NAME) -> Sync:
    return Sync(
        name=name,
        source=CONTOSO,
        target=FABRIKAM,
        mapping=DEFAULT_MAPPING,
        policy=policy or Policy(),
        guard=guard or GuardLimits(),
    )


def person(name: str = "Ada", **attributes: Json) -> dict[str, Json]:
    """The attributes of an internal user, as the source tenant has them."""
    address = f"{name.lower()}@contoso.example"
    return {
        "accountEnabled": True,
        "displayName": name,
        "mail": address,
        "userPrincipalName": address,
        "department": "Research",
        **attributes,
    }


def source(state: SourceState = SourceState.LIVE, *, read_at: datetime = START, **attributes: Json) -> SourceUser:
    return SourceUser(id=ADA, state=state, attributes=person(**attributes), read_at=read_at)  # type: ignore[arg-type]


def link(state: LinkState = LinkState.SEEN, **values: object) -> Link:
    fields: dict[str, object] = {"sync": NAME, "source_id": ADA, "state": state, **values}
    return Link(**fields)  # type: ignore[arg-type]


def linked(desired: Desired, **values: object) -> Link:
    """A link whose target user has exactly what is desired."""
    applied = fingerprints(desired.always)
    return link(LinkState.LINKED, **{"target_id": GUEST, "applied": applied, "created": True, **values})


def guest(user_id: str = GUEST, **values: object) -> TargetUser:
    fields: dict[str, object] = {"id": user_id, "external": True, "created_at": START - timedelta(days=90), **values}
    return TargetUser(**fields)  # type: ignore[arg-type]


# --- strategies -------------------------------------------------------------------------------------------------

# Few of each, so that the interesting coincidences happen often.
_names = st.sampled_from(["displayName", "department", "jobTitle", "accountEnabled"])
_texts = st.sampled_from(["", "Ada", "Research", "ada@contoso.example", "ada_contoso#EXT#@fabrikam.example"])
_values = st.one_of(st.none(), st.booleans(), _texts, st.lists(_texts, max_size=2))
_moments = st.integers(-3_000_000, 3_000_000).map(lambda seconds: START + timedelta(seconds=seconds))
_ids = st.sampled_from([GUEST, "guest-2", "guest-3"])

attributes = st.dictionaries(_names, _values, max_size=4)
policies = st.builds(
    Policy,
    adopt=st.sampled_from(Adoption),
    out_of_scope=st.sampled_from(Deprovision),
    source_deleted=st.sampled_from(Deprovision),
    deleted_in_target=st.sampled_from(DeletedInTarget),
)
verdicts = st.sampled_from([IN, OUT])
desires = st.builds(Desired, always=attributes, on_create=st.just({}) | st.just({"userType": "Member"}))
sources = st.builds(
    SourceUser,
    id=st.just(ADA),
    state=st.sampled_from(SourceState),
    attributes=st.fixed_dictionaries(
        {},
        optional={
            "mail": _values,
            "userPrincipalName": _values,
            "creationType": st.sampled_from([None, "Invitation", "LocalAccount"]),
            "externalUserState": st.sampled_from([None, "Accepted"]),
        },
    ),
    read_at=_moments,
)
targets = st.builds(
    TargetUser,
    id=_ids,
    external=st.booleans(),
    created_at=st.none() | _moments,
    linked_to=st.none() | st.just(f"{NAME}/{BOB}"),
)
candidates = st.lists(targets, max_size=3, unique_by=lambda user: user.id)
links = st.builds(
    Link,
    sync=st.just(NAME),
    source_id=st.just(ADA),
    state=st.sampled_from(LinkState),
    target_id=st.none() | _ids,
    applied=attributes.map(lambda values: fingerprints(values)),
    dirty=st.booleans(),
    created=st.booleans(),
    permit=st.sampled_from([None, "SoftDelete", "Disable", "Hold"]),
    read_at=st.none() | _moments,
    invited_at=st.none() | _moments,
    deleted_at=st.none() | _moments,
    park_count=st.integers(0, 30),
)
