"""The causes that a preflight finds: their words, how much each weighs, and what helps."""

from __future__ import annotations

from collections.abc import Mapping

from ...model import Reason
from ..adoptions import WAITS_FOR_ADOPTION
from ..changes import WAYS_OUT
from ..documents import Cause, Weight
from ..plain import reason_in_words

_WORDS: Mapping[Cause, str] = {
    Cause.DOMAINS_UNKNOWN: "whether the address is the source's own cannot be told",
    Cause.SHARED: "another source user, or another sync, comes first with the same address",
    Cause.CONTACT: "a mail contact of the target has this address",
    Cause.SOFT_DELETED: "a soft-deleted user of the target has this address",
    Cause.QUOTA: "the directory of the target has no room for so many newcomers",
    Cause.PENDING: "the guest with this address was invited by somebody else, and has not accepted yet",
    Cause.ORPHANED: "the guest is of a domain of the source, where nobody has this address",
}
_REMEDIES: Mapping[Cause, str] = {
    Cause.DOMAINS_UNKNOWN: "grant the app Organization.Read.All in the source tenant, or name the domains in"
    " `matching: {domains: [...]}`",
    Cause.SHARED: "one B2B user is for one source user: give one of the two another address, or leave one out by a"
    " filter",
    Cause.CONTACT: "the guest is made without this mail address, and no write gives it: an administrator of the target"
    " removes the contact in Exchange first",
    Cause.SOFT_DELETED: "the user is invited anew. If it is the same person, an administrator of the target restores"
    " the deleted user first, and it can be adopted; otherwise it is to be deleted for good",
    Cause.QUOTA: "an administrator of the target deletes what is not needed, or asks Microsoft for a larger quota",
    Cause.PENDING: "adopted or not, the guest has to redeem: without a prompt if both tenants redeem automatically"
    " (`xtsync doctor`)",
    Cause.ORPHANED: "no sync touches this guest: an administrator of the target deletes one who left, or corrects the"
    " mail of one who is another person",
}
_NOTES = frozenset({Cause.PENDING, Cause.ORPHANED})
_WAITS = frozenset(map(str, WAITS_FOR_ADOPTION))


def words_of(cause: Cause) -> str:
    return _WORDS.get(cause) or reason_in_words(cause)


def remedy_of(cause: Cause) -> str:
    return _REMEDIES.get(cause) or WAYS_OUT[Reason(cause.value)]


def weight_of(cause: Cause) -> Weight:
    if cause in _NOTES:
        return Weight.NOTE
    return Weight.WAITS if cause in _WAITS else Weight.STOPS
