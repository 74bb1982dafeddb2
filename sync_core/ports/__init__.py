"""All that the core needs of the world: time, two directories, and stored state.

Each port has a real adapter (sync_core/graph, sync_core/storage) and runs unchanged in the simulator. Every method may
raise TransientError (try again) or PermanentError; a compare-and-swap that loses raises ConflictError. A record that
was read or saved carries its `etag`; one without is new, and saving it inserts.
"""

from .clock import Clock
from .controls import ControlRecord, Controls
from .creations import CreationApproval, CreationRecord, Creations
from .directories import (
    AppOnTenant,
    Confirm,
    DeltaPage,
    GraphSubscription,
    GroupChanges,
    GroupDirectory,
    MarkedPage,
    Presence,
    Side,
    SourceDirectory,
    SubscriptionApi,
    TargetDirectory,
    TenantInspection,
)
from .notices import Messenger, NoticeRecord, Notices, Telling
from .plans import Nominee, PlanEntry, PlanJob, Plans, PlanState
from .record import Activity, Asked, Page, Tally
from .state import (
    BudgetRecord,
    Budgets,
    ConfigurationRecord,
    CountedPerson,
    FeedPhase,
    Feeds,
    FeedState,
    GuardHistory,
    Guards,
    GuardTable,
    GuardWindow,
    HoldRecord,
    HoldState,
    Links,
    SubscriptionRecord,
    Subscriptions,
    SyncRecord,
    SyncRecords,
)
from .work import Done, Fronts, InHand, LeftBehind, Poison, Poisoned, Queues

__all__ = [
    "Activity",
    "AppOnTenant",
    "Asked",
    "BudgetRecord",
    "Budgets",
    "Clock",
    "ConfigurationRecord",
    "Confirm",
    "ControlRecord",
    "Controls",
    "CountedPerson",
    "CreationApproval",
    "CreationRecord",
    "Creations",
    "DeltaPage",
    "Done",
    "FeedPhase",
    "FeedState",
    "Feeds",
    "Fronts",
    "GraphSubscription",
    "GroupChanges",
    "GroupDirectory",
    "GuardHistory",
    "GuardTable",
    "GuardWindow",
    "Guards",
    "HoldRecord",
    "HoldState",
    "InHand",
    "LeftBehind",
    "Links",
    "MarkedPage",
    "Messenger",
    "Nominee",
    "NoticeRecord",
    "Notices",
    "Page",
    "PlanEntry",
    "PlanJob",
    "PlanState",
    "Plans",
    "Poison",
    "Poisoned",
    "Presence",
    "Queues",
    "Side",
    "SourceDirectory",
    "SubscriptionApi",
    "SubscriptionRecord",
    "Subscriptions",
    "SyncRecord",
    "SyncRecords",
    "Tally",
    "TargetDirectory",
    "Telling",
    "TenantInspection",
]
