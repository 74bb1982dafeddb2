"""Everything that `--json` and `/api/ops` say, one definition each. `as_json` makes JSON of any of them.

Fields have the names that programs read; docs/openapi.json is generated from these classes.

rendering.py   as_json, and fields that are left out
changes.py     changes of a target user, made or to come
activity.py    the record of what happened
users.py       one user: each look, the outcome, adoptions
people.py      the caller, and people by name
report.py      everybody who has access
plans.py       everybody, if all were looked at now
holds.py       held deletions, and decisions
leaving.py     users who leave in stages, and those whom a person keeps
creations.py   newcomers who wait, and their approval
notices.py     who is told of what
poison.py      messages that no function could handle, and decisions
syncs.py       a sync that is renamed, moved or removed
deployment.py  status, rounds, the doctor's report, errors
files.py       sync.yaml, cases of mappings, a schema
"""

from .activity import Activity, ActivityEvent, EventDecision, Explanation, Explanations, Hour, Hours
from .changes import (
    Adopt,
    Change,
    Disable,
    Forget,
    GuardLimits,
    HandOver,
    Hold,
    Invite,
    LetGo,
    Postpone,
    Refuse,
    Restore,
    Skip,
    SoftDelete,
    Stay,
    Update,
)
from .controls import Controlled, PauseRequest, SyncControl
from .creations import CreationApproval, CreationList, CreationRequest, CreationStatus
from .deployment import (
    Error,
    ErrorDetail,
    FeedStatus,
    Finding,
    HoldCounts,
    ParkedUser,
    QueueStatus,
    RefusedUser,
    Report,
    Round,
    Rounds,
    Status,
    Stopped,
    SubscriptionState,
    SubscriptionStatus,
    SyncStatus,
    Verdict,
    WindowStatus,
)
from .files import ImportedSchema, MappingCase, MappingCases, Validation
from .holds import (
    Decided,
    Decision,
    DecisionRequest,
    Decisions,
    HeldDeletion,
    HeldUser,
    Holds,
    ListDecisionRequest,
    PastDecision,
)
from .leaving import DueUser, DueUsers, Keep, KeepRequest, KeptUsers, LeavingStatus
from .notices import NoticeReceiver, Notices, StandingNotice, TriedReceiver, TriedReceivers
from .people import Caller, FindRequest, Found, NamedUser, Names, NamesRequest
from .plans import FailedUser, Plan, PlannedUser, SyncPlan
from .poison import PoisonedMessage, PoisonedMessages, PoisonFate, SettledPoison
from .rendering import ABSENT, Absent, as_json
from .report import AccessEntry, AccessReport
from .syncs import Step, SyncChange
from .users import (
    AdoptionChoice,
    AdoptionChoices,
    AdoptionRequest,
    ApprovedAdoption,
    ApprovedAdoptions,
    Candidate,
    Link,
    Look,
    Nominated,
    NominatedUsers,
    NominationRequest,
    Outcome,
    RefusedAttributes,
    Result,
    Scope,
    Source,
    SyncResult,
    SyncResults,
    User,
    WaitingUser,
    WaitingUsers,
)

__all__ = [
    "ABSENT",
    "Absent",
    "AccessEntry",
    "AccessReport",
    "Activity",
    "ActivityEvent",
    "Adopt",
    "AdoptionChoice",
    "AdoptionChoices",
    "AdoptionRequest",
    "ApprovedAdoption",
    "ApprovedAdoptions",
    "Caller",
    "Candidate",
    "Change",
    "Controlled",
    "CreationApproval",
    "CreationList",
    "CreationRequest",
    "CreationStatus",
    "Decided",
    "Decision",
    "DecisionRequest",
    "Decisions",
    "Disable",
    "DueUser",
    "DueUsers",
    "Error",
    "ErrorDetail",
    "EventDecision",
    "Explanation",
    "Explanations",
    "FailedUser",
    "FeedStatus",
    "FindRequest",
    "Finding",
    "Forget",
    "Found",
    "GuardLimits",
    "HandOver",
    "HeldDeletion",
    "HeldUser",
    "Hold",
    "HoldCounts",
    "Holds",
    "Hour",
    "Hours",
    "ImportedSchema",
    "Invite",
    "Keep",
    "KeepRequest",
    "KeptUsers",
    "LeavingStatus",
    "LetGo",
    "Link",
    "ListDecisionRequest",
    "Look",
    "MappingCase",
    "MappingCases",
    "NamedUser",
    "Names",
    "NamesRequest",
    "Nominated",
    "NominatedUsers",
    "NominationRequest",
    "NoticeReceiver",
    "Notices",
    "Outcome",
    "ParkedUser",
    "PastDecision",
    "PauseRequest",
    "Plan",
    "PlannedUser",
    "PoisonFate",
    "PoisonedMessage",
    "PoisonedMessages",
    "Postpone",
    "QueueStatus",
    "Refuse",
    "RefusedAttributes",
    "RefusedUser",
    "Report",
    "Restore",
    "Result",
    "Round",
    "Rounds",
    "Scope",
    "SettledPoison",
    "Skip",
    "SoftDelete",
    "Source",
    "StandingNotice",
    "Status",
    "Stay",
    "Step",
    "Stopped",
    "SubscriptionState",
    "SubscriptionStatus",
    "SyncChange",
    "SyncControl",
    "SyncPlan",
    "SyncResult",
    "SyncResults",
    "SyncStatus",
    "TriedReceiver",
    "TriedReceivers",
    "Update",
    "User",
    "Validation",
    "Verdict",
    "WaitingUser",
    "WaitingUsers",
    "WindowStatus",
    "as_json",
]
