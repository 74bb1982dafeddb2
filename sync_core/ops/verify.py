"""Newcomers after they came: whether they are there, may sign in, need no prompt, and are in the address lists.

The target is asked fifteen users at a time. Nothing is concluded and nothing repaired: that is for feeds and people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import batched

from ..assembly import Runtime
from ..model import Link, Sync, fingerprint
from ..model.errors import GraphRefusedError
from ..ports import AppOnTenant, Side, Standing
from ..reconcile.lag import VISIBLE_WITHIN
from ..storage.concurrency import for_each
from . import documents
from .doctor.policies import redemption
from .documents import Unusable, UnusableUser, Verdict
from .paging import onwards

_LISTED = "showInAddressList"
_HIDDEN = fingerprint(False)
_MOST_LINKS = 50_000  # that one page walks through: most of a large sync are no newcomers
_AT_ONCE = 150  # ten requests one after another

_WORDS: Mapping[Unusable, tuple[str, str]] = {
    Unusable.GONE: (
        "the target user is not there (any more)",
        "somebody deleted it: `xtsync why USER` says what the sync does, `deleted_in_target: restore` brings such back",
    ),
    Unusable.INTERNAL: (
        "the target user is an internal one by now",
        "the next look lets it go. If that is not meant, an administrator of the target converts it back or deletes it",
    ),
    Unusable.BLOCKED: (
        "the target user may not sign in, and the sync did not do that",
        "an administrator of the target enables it, or `drift: {blocked_in_target: enforce}` does: `xtsync drift`",
    ),
    Unusable.UNREDEEMED: (
        "the invitation is not accepted, and a prompt comes first",
        "let both tenants redeem automatically: `xtsync doctor` has the commands, by the check `redemption`",
    ),
    Unusable.HIDDEN: (
        "address lists of the target do not show the user",
        "a rule gives `showInAddressList` a constant true. Where Exchange refuses it, an administrator of the target"
        " runs Set-MailUser -HiddenFromAddressListsEnabled $false",
    ),
    Unusable.UNKNOWN: (
        "the invitation is not accepted, and whether a prompt comes cannot be seen",
        "grant Policy.Read.All in both tenants, or look by hand: `xtsync doctor` has the commands, check `redemption`",
    ),
}


async def verify(
    runtime: Runtime, syncs: Iterable[Sync], since: datetime, *, limit: int = 100, after: str = ""
) -> documents.Verified:
    """One page. Raises UsageError for an `after` that no page gave."""
    now = runtime.clock.now()
    users: list[UnusableUser] = []
    looked_at, walked, more = 0, 0, None
    for sync, behind in onwards(syncs, after):
        newcomers: list[Link] = []
        async for link in runtime.storage.links.pairs(sync.name, behind):
            walked += 1
            if _is_newcomer(link, since, now):
                newcomers.append(link)
            if looked_at + len(newcomers) == limit or walked == _MOST_LINKS:
                more = f"{sync.name}/{link.source_id}"
                break
        judged, found = await _judged(runtime, sync, newcomers)
        looked_at += judged
        users += found
        if more is not None:
            break
    return _document(now, since, looked_at, users, more)


def merged(pages: Sequence[documents.Verified]) -> documents.Verified:
    """All pages as one document."""
    users = [user for page in pages for user in page.users]
    return _document(pages[0].at, pages[0].since, sum(page.looked_at for page in pages), users, None)


def _document(
    at: datetime, since: datetime, looked_at: int, users: Sequence[UnusableUser], more: str | None
) -> documents.Verified:
    causes = [
        documents.UnusableCause(cause=cause, words=words, remedy=remedy, people=people)
        for cause, (words, remedy) in _WORDS.items()
        if (people := sum(user.cause is cause for user in users))
    ]
    usable = looked_at - len({(user.sync, user.source_id) for user in users})
    return documents.Verified(
        at=at, since=since, looked_at=looked_at, usable=usable, causes=causes, users=users, more=more
    )


def _is_newcomer(link: Link, since: datetime, now: datetime) -> bool:
    at = link.linked_at
    return at is not None and since <= at <= now - VISIBLE_WITHIN and not link.disabled


async def _judged(runtime: Runtime, sync: Sync, newcomers: Sequence[Link]) -> tuple[int, list[UnusableUser]]:
    target = runtime.engine.targets[sync.target.key]
    ids = [link.target_id for link in newcomers if link.target_id is not None]
    standing: dict[str, Standing] = {}

    async def ask(some: Sequence[str]) -> None:
        standing.update(await target.standing(some))

    await for_each(list(batched(ids, _AT_ONCE, strict=False)), ask)
    unfound = [each for each in ids if each not in standing]
    # A search may lag behind: one whom it does not find is asked for by id.
    lagging = await target.existing(unfound) if unfound else set()
    waits = any(each.redeemed is False for each in standing.values())
    automatic = await _automatic(runtime, sync) if waits else None
    judged = [link for link in newcomers if link.target_id not in lagging]
    found = [
        UnusableUser(
            sync=sync.name,
            source_id=link.source_id,
            target_id=link.target_id or "",
            cause=cause,
            since=link.linked_at or runtime.clock.now(),
        )
        for link in judged
        for cause in _causes(link, standing.get(link.target_id or ""), automatic)
    ]
    return len(judged), found


def _causes(link: Link, at: Standing | None, automatic: bool | None) -> Iterator[Unusable]:
    if at is None or not at.external:
        yield Unusable.GONE if at is None else Unusable.INTERNAL
        return
    if not at.enabled:
        yield Unusable.BLOCKED
    if at.redeemed is False and automatic is not True:
        yield Unusable.UNKNOWN if automatic is None else Unusable.UNREDEEMED
    meant = link.applied.get(_LISTED) == _HIDDEN
    if _LISTED in link.refused or (at.listed is False and not meant):
        yield Unusable.HIDDEN


async def _automatic(runtime: Runtime, sync: Sync) -> bool | None:
    """Whether both tenants redeem without a prompt; None if the app may not read that of one of them."""
    sides = ((Side.SOURCE, sync.source, sync.target, "outboundAllowed"),)
    ends = (*sides, (Side.TARGET, sync.target, sync.source, "inboundAllowed"))
    answers = []
    for side, here, other, setting in ends:
        app = _app(runtime, here.key, side)
        try:
            found = None if app is None else await redemption(app, other, setting)
        except GraphRefusedError as error:
            if error.status != 403:
                raise
            found = None
        answers.append(None if found is None else found.verdict is Verdict.OK)
    if False in answers:
        return False
    return None if None in answers else True


def _app(runtime: Runtime, tenant: str, side: Side) -> AppOnTenant | None:
    return next((app for app in runtime.apps if app.tenant.key == tenant and app.side is side), None)
