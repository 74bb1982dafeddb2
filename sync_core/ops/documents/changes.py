"""Changes as documents: one class for each kind, told apart by `change`.

`attributes` are names. Values are personal data and are there only when they were asked for. `values` are those to be
written. `before` are those that the target user has now, where nothing was written yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from ...model import Counts, Deprovision, Json, Postponed, Reason
from .rendering import ABSENT, Absent, document


@document
class _Shown:
    change: str
    attributes: Sequence[str]
    values: Mapping[str, Json] | Absent = ABSENT


@document
class _Written(_Shown):
    before: Mapping[str, Json] | Absent = ABSENT
    manager: str | Absent | None = ABSENT


@document
class Invite(_Written):
    """A new B2B user is invited. Address and display name are there only when values were asked for."""

    change: Literal["Invite"] = "Invite"
    address: str | Absent = ABSENT
    display_name: str | Absent | None = ABSENT


@document
class Adopt(_Shown):
    """A B2B user who is in the target already becomes ours."""

    change: Literal["Adopt"] = "Adopt"
    target_id: str


@document
class Update(_Written):
    """Attributes are written. `manager` is the target user's id, or null where there is none any more."""

    change: Literal["Update"] = "Update"


@document
class Disable(_Written):
    """Sign-in is switched off, and other attributes are written with it."""

    change: Literal["Disable"] = "Disable"


@document
class Restore(_Shown):
    """A soft-deleted target user comes back."""

    change: Literal["Restore"] = "Restore"


@document
class SoftDelete(_Shown):
    """The target user is deleted. Entra can restore it for 30 days."""

    change: Literal["SoftDelete"] = "SoftDelete"
    reason: str


@document
class Forget(_Shown):
    """The record of the pair is dropped: source and target user are both gone."""

    change: Literal["Forget"] = "Forget"


@document
class LetGo(_Shown):
    """The target user was converted to an internal user: the link is dropped, and nothing is written."""

    change: Literal["LetGo"] = "LetGo"
    target_id: str


@document
class HandOver(_Shown):
    """Another sync of this user into the same tenant takes the pair: nothing is written, and access stays.

    Or another source user, of whom a person said that it is the same one: then `to` is "<sync>/<source id>".
    """

    change: Literal["HandOver"] = "HandOver"
    to: str


@document
class Unlink(_Shown):
    """A person ended the pair: the target user stays, and is nobody's."""

    change: Literal["Unlink"] = "Unlink"


@document
class ResetRedemption(_Shown):
    """The target user is to redeem the invitation anew."""

    change: Literal["ResetRedemption"] = "ResetRedemption"


@document
class GuardLimits:
    """A limit of the deletion guard: a percentage of the links, but never fewer than `min_count` in `window_s`."""

    max_percent: float
    min_count: int
    window_s: float


@document
class Hold(_Written):
    """A deletion that the guard holds; `attributes` are written meanwhile.

    The window that is full has `window_s`, and `counts` the people of this sync or of all syncs into the target.
    """

    change: Literal["Hold"] = "Hold"
    held: Change
    used: int
    limit: int
    counts: Counts
    window_s: float
    guard: GuardLimits | Absent = ABSENT


@document
class Postpone(_Shown):
    """A change that would be made, and is not made now: `because` says why."""

    change: Literal["Postpone"] = "Postpone"
    postponed: Change
    because: Postponed


@document
class Skip(_Shown):
    """Nothing is to be done."""

    change: Literal["Skip"] = "Skip"
    reason: Reason
    hint: str | Absent = ABSENT


@document
class Stay(_Shown):
    """A user who leaves stays at the stage that was reached at `since`. The next one comes at `until`.

    Without a next stage `then` and `until` are null. The reason says whether a person keeps the user.
    """

    change: Literal["Stay"] = "Stay"
    reason: Reason
    stage: Deprovision
    since: datetime
    then: Deprovision | None
    until: datetime | None


@document
class Refuse(_Shown):
    """Something would have to be done, and may not be. `hint` is the way out."""

    change: Literal["Refuse"] = "Refuse"
    reason: Reason
    detail: str | None
    hint: str | None


type Change = (
    Invite
    | Adopt
    | Update
    | Disable
    | Restore
    | SoftDelete
    | Forget
    | LetGo
    | HandOver
    | Unlink
    | ResetRedemption
    | Hold
    | Postpone
    | Skip
    | Stay
    | Refuse
)
