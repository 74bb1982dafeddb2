"""The nouns of the project, as values: users, links, changes, nominations, policies.

No I/O and no clock in here; everything else may import this module, and it imports nothing of ours.
Words are those of docs/architecture.md. Times are aware UTC datetimes; ids are Entra object ids (GUID text).
"""

from .changes import (
    Adopt,
    Change,
    Disable,
    Forget,
    Hold,
    Invite,
    LetGo,
    Reason,
    Refuse,
    Restore,
    Skip,
    SoftDelete,
    Update,
)
from .events import FeedRun, LifecycleEvent, Nomination, Outcome, Why
from .link import TRANSITIONS, Link
from .link_parts import Guarded, LinkDigest, LinkState, Parked
from .rules import Apply, Assigned, Clause, Filter, Operator, RegexMode, Rule, Several, WhenNull
from .syncs import Adoption, DeletedInTarget, Deprovision, GuardLimits, Policy, Sync, Tenant
from .users import Desired, Marker, SourceState, SourceUser, TargetUser, Verdict, is_external
from .values import (
    ENABLED,
    MANAGER,
    MEMBER_OF,
    SOFT_DELETE_RETENTION,
    Attributes,
    Json,
    digest,
    fingerprint,
    fingerprints,
    is_object_id,
)

__all__ = [
    "ENABLED",
    "MANAGER",
    "MEMBER_OF",
    "SOFT_DELETE_RETENTION",
    "TRANSITIONS",
    "Adopt",
    "Adoption",
    "Apply",
    "Assigned",
    "Attributes",
    "Change",
    "Clause",
    "DeletedInTarget",
    "Deprovision",
    "Desired",
    "Disable",
    "FeedRun",
    "Filter",
    "Forget",
    "GuardLimits",
    "Guarded",
    "Hold",
    "Invite",
    "Json",
    "LetGo",
    "LifecycleEvent",
    "Link",
    "LinkDigest",
    "LinkState",
    "Marker",
    "Nomination",
    "Operator",
    "Outcome",
    "Parked",
    "Policy",
    "Reason",
    "Refuse",
    "RegexMode",
    "Restore",
    "Rule",
    "Several",
    "Skip",
    "SoftDelete",
    "SourceState",
    "SourceUser",
    "Sync",
    "TargetUser",
    "Tenant",
    "Update",
    "Verdict",
    "WhenNull",
    "Why",
    "digest",
    "fingerprint",
    "fingerprints",
    "is_external",
    "is_object_id",
]
