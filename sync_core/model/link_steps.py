"""The steps of a link's life: in which states each may be taken, and the state that follows. Link takes them."""

from __future__ import annotations

from collections.abc import Mapping

from .link_parts import LinkState

_SEEN, _INVITING, _LINKED, _DELETED, _LOST = LinkState
_ANY: Mapping[LinkState, LinkState] = {state: state for state in LinkState}

# By the method of Link that takes the step: in which states it may be taken, and the state that follows.
TRANSITIONS: Mapping[str, Mapping[LinkState, LinkState]] = {
    "invitation_begun": {_SEEN: _INVITING, _INVITING: _INVITING},
    "invited": {_INVITING: _INVITING},
    "invitation_refused": {_INVITING: _SEEN},
    "adopted": {_SEEN: _LINKED, _INVITING: _LINKED, _DELETED: _LINKED, _LOST: _LINKED},
    "write_begun": {_LINKED: _LINKED},
    "recorded": {_LINKED: _LINKED},
    "deletion_begun": {_LINKED: _LINKED},
    "removal_called_off": {_LINKED: _LINKED},
    "deleted": {_LINKED: _DELETED},
    "own_deletion_found": {_LINKED: _DELETED},
    "lost": {_LINKED: _LOST},
    "restore_begun": {_DELETED: _DELETED, _LOST: _LOST},
    "still_deleted": {_DELETED: _DELETED, _LOST: _LOST},
    "restored": {_DELETED: _LINKED, _LOST: _LINKED},
    "forgotten": {_LINKED: _SEEN, _DELETED: _SEEN, _LOST: _SEEN},
    "hand_over_begun": {_LINKED: _LINKED, _DELETED: _DELETED},
    "hand_over_ended": {_LINKED: _LINKED, _DELETED: _DELETED},
    "taken_deleted": {_SEEN: _DELETED, _INVITING: _DELETED, _DELETED: _DELETED},
    "redeeming": {_LINKED: _LINKED, _DELETED: _DELETED},
    "distrusted": {_LINKED: _LINKED},
    "drifted": {_LINKED: _LINKED},
    "held": {_LINKED: _LINKED},
    "returned": _ANY,
    "approved": {_SEEN: _SEEN, _INVITING: _INVITING, _DELETED: _DELETED, _LOST: _LOST},
    "marker_seen": {_SEEN: _SEEN},
    "of_tenants": _ANY,
    "noticed": _ANY,
    "asked_again": _ANY,
    "looked_at": _ANY,
    "concluded": {**_ANY, _INVITING: _SEEN},
    "postponed": _ANY,
    "decision_refused": {**_ANY, _INVITING: _SEEN},
    "set_aside": _ANY,
}
