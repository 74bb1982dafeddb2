"""Values with sensible defaults: a sync, its users and links, and the strategies that generate many of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import strategies as st

from sync_core.decision.decide import Situation
from sync_core.decision.look import Look, desired, look
from sync_core.mapping import DEFAULT_MAPPING
from sync_core.model import (
    CREATIONS,
    Adoption,
    Assigned,
    DeletedInTarget,
    Deprovision,
    Desired,
    Filter,
    Guarded,
    GuardLimits,
    InviteBy,
    Json,
    Leaves,
    Leaving,
    Limit,
    Link,
    LinkState,
    Marker,
    Mode,
    Policy,
    SourceState,
    SourceUser,
    Stage,
    Stages,
    Sync,
    TargetUser,
    Tenant,
    Verdict,
    fingerprints,
)
from sync_core.scope.verdict import scope
from sync_core.storage.table import Row, Table, key

from .clock import START

CONTOSO = Tenant(key="contoso", id="11111111-1111-1111-1111-111111111111")
FABRIKAM = Tenant(key="fabrikam", id="22222222-2222-2222-2222-222222222222")
NAME = "contoso-to-fabrikam"
HOLD_ALL = GuardLimits(max_percent=0, min_count=0)  # nobody is deleted without a person's word

ADA = "aaaaaaaa-0000-0000-0000-000000000001"
BOB = "bbbbbbbb-0000-0000-0000-000000000002"
ADDRESS = "ada@contoso.example"
GUEST = "guest-of-ada"
SALES = "dddddddd-0000-0000-0000-000000000001"
STAFF = "dddddddd-0000-0000-0000-000000000002"

# The directory extension that bears the ownership marker, where a test wants one; and what it says of Ada.
OWNER = "extension_0123456789abcdef0123456789abcdef_xtsyncOwner"
MARKER = Marker(attribute=OWNER, sync=NAME, tenant_id=CONTOSO.id, source_id=ADA)

IN = Verdict(in_scope=True, reason="all internal users")
OUT = Verdict(in_scope=False, reason="no group")


def sync(
    *,
    policy: Policy | None = None,
    guard: GuardLimits | None = None,
    assigned: Assigned | None = None,
    name: str = NAME,
    filters: Sequence[Filter] = (),
    owner_attribute: str | None = None,
    invite: InviteBy = InviteBy.MAIL,
    domains: frozenset[str] = frozenset(),
    mode: Mode = Mode.RUN,
    creation_guard: Limit | None = CREATIONS,
) -> Sync:
    return Sync(
        name=name,
        source=CONTOSO,
        target=FABRIKAM,
        mapping=DEFAULT_MAPPING,
        assigned=assigned,
        policy=policy or Policy(),
        guard=guard or GuardLimits(),
        filters=filters,
        owner_attribute=owner_attribute,
        invite=invite,
        domains=domains,
        mode=mode,
        creation_guard=creation_guard,
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
    return link(LinkState.LINKED, **{"target_id": GUEST, "applied": applied, "on_create_written": True, **values})


def guest(user_id: str = GUEST, **values: object) -> TargetUser:
    created = START - timedelta(days=90)
    fields: dict[str, object] = {"id": user_id, "external": True, "created_at": created, "mail": ADDRESS, **values}
    return TargetUser(**fields)  # type: ignore[arg-type]


def situation(
    source: SourceUser,
    verdict: Verdict,
    link: Link,
    desired: Desired,
    policy: Policy | None = None,
    candidates: Sequence[TargetUser] = (),
    marker: Marker | None = None,
) -> Situation:
    return Situation(
        source=source,
        verdict=verdict,
        link=link,
        desired=desired,
        policy=policy or Policy(),
        candidates=candidates,
        marker=marker,
    )


def looked(sync: Sync, source: SourceUser, link: Link, candidates: Sequence[TargetUser] = ()) -> Look:
    """As the engine looks, without its reads."""
    return look(sync, source, scope(sync, source), link, desired(sync, source), candidates)


# --- strategies -------------------------------------------------------------------------------------------------

# Few of each, and drawn whole, so that the interesting coincidences happen often and quickly.
_texts: list[Json] = [None, "", "Ada", ADDRESS, "ada_contoso.example#EXT#@fabrikam.example", ["Ada"]]
_attributes: list[dict[str, Json]] = [
    {},
    {"displayName": "Ada"},
    {"displayName": ["Ada"], "accountEnabled": None},
    {"displayName": "Ada", "department": None, "accountEnabled": True},
    {"displayName": "Ada", "department": "", "accountEnabled": False},
    {"department": "Sales", "accountEnabled": False},
]
_gaps = (timedelta(), timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(30))
_moments = st.sampled_from([START + sign * gap for gap in _gaps for sign in (-1, 1)])
_ids = st.sampled_from([GUEST, "guest-2", "guest-3"])

STAGES = Stages(stages=(Stage(then=Deprovision.DISABLE), Stage(then=Deprovision.SOFT_DELETE, after=timedelta(days=14))))
LATER = Stages(stages=(Stage(then=Deprovision.SOFT_DELETE, after=timedelta(days=1)),))
HOWS: tuple[Leaves, ...] = (*Deprovision, STAGES, LATER)

policies = st.sampled_from(
    [
        Policy(adopt=adopt, out_of_scope=out_of_scope, source_deleted=source_deleted, deleted_in_target=in_target)
        for adopt in Adoption
        for out_of_scope in HOWS
        for source_deleted in HOWS
        for in_target in DeletedInTarget
    ]
)
verdicts = st.sampled_from([IN, OUT])
desires = st.sampled_from(
    [Desired(always=always, on_create=first) for always in _attributes for first in ({}, {"userType": "Member"})]
)
sources = st.builds(
    SourceUser,
    id=st.just(ADA),
    state=st.sampled_from(SourceState),
    attributes=st.sampled_from(
        [
            {"mail": mail, "userPrincipalName": name, **origin}
            for mail in _texts
            for name in _texts
            for origin in ({}, {"creationType": "Invitation"}, {"externalUserState": "Accepted"})
        ]
    ),
    read_at=_moments,
)
targets = st.builds(
    TargetUser,
    id=_ids,
    external=st.booleans(),
    created_at=st.none() | _moments,
    linked_to=st.sampled_from([None, f"{NAME}/{BOB}"]),
    marker=st.sampled_from([None, MARKER.text, MARKER.prefix + BOB]),
)
markers = st.sampled_from([None, MARKER])
candidates = st.lists(targets, max_size=3, unique_by=lambda user: user.id)
links = st.builds(
    Link,
    sync=st.just(NAME),
    source_id=st.just(ADA),
    state=st.sampled_from(LinkState),
    target_id=st.sampled_from([None, GUEST, "guest-2"]),
    applied=st.sampled_from([fingerprints(each) for each in _attributes]),
    dirty=st.booleans(),
    on_create_written=st.booleans(),
    guarded=st.sampled_from([None, *Guarded]),
    approved_target=st.none() | _ids,
    invited_at=st.none() | _moments,
    linked_at=st.none() | _moments,
    noticed_at=st.none() | _moments,
    settle=st.none() | st.just(timedelta(seconds=3)),
    deleted_at=st.none() | _moments,
    away=st.booleans(),
    leaving=st.none() | st.builds(Leaving, stage=st.sampled_from(Deprovision), since=_moments),
)
situations = st.builds(situation, sources, verdicts, links, desires, policies, candidates, markers)


async def make_newer(table: Table, partition: str, user: str) -> None:
    """A later release wrote this row; then it was rolled back."""
    row = await table.get(partition, key(user))
    assert row is not None
    await table.replace(Row(pk=row.pk, rk=row.rk, values={**row.values, "v": 99}), row.etag)
