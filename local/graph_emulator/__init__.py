"""A stateful Microsoft Graph for tests and laptops: users, groups, delta, invitations, policies, change notifications.

`Emulator` is the whole of it and does no input or output. `transport` puts it behind httpx in process, `server` behind
a port. `routes` lists what of `/v1.0` there is, `control` what else can be done to it under `/_emulator`. For users of
it: docs/graph-emulator.md.
"""

from local.graph_emulator.clock import Clock, ManualClock, WallClock
from local.graph_emulator.delivery import PendingPost, Poster, PostOutcome
from local.graph_emulator.directory import Tenant
from local.graph_emulator.emulator import Emulator
from local.graph_emulator.messages import ConnectionLost, Request, Response
from local.graph_emulator.shelf import User
from local.graph_emulator.transport import EmulatorTransport

__all__ = [
    "Clock",
    "ConnectionLost",
    "Emulator",
    "EmulatorTransport",
    "ManualClock",
    "PendingPost",
    "PostOutcome",
    "Poster",
    "Request",
    "Response",
    "Tenant",
    "User",
    "WallClock",
]
