"""A stateful Microsoft Graph for tests and laptops: users, groups, delta, invitations, policies, change notifications.

__main__.py      the command: the emulator alone on a port, until it is stopped
pytest_plugin.py fixtures for pytest, which finds them by itself
serving.py       the emulator on a port, in a thread of its own
server.py        the emulator on a port, with aiohttp
certificates.py  the certificate of `https`, and its root
transport.py     the emulator in process, behind httpx
testing.py       a world for tests: two tenants, callers of each and a subscriber on one clock
emulator.py      `Emulator`: every part assembled, and the one function that answers requests
api/             Graph's endpoints: the routes, and their handlers
control/         the control surface for tests: `/_emulator`, faults, the request log, seeding
calls/           the tools of all handlers: a request, its caller and tenant, collections, pages, JSON
notifications/   subscriptions, and the delivery of change notifications
directory/       the state: tenants, users, groups, apps, policies, invitations, the log of changes, delta
odata/           Graph's types and queries: properties with their rules, paths, options, filters, searches
wire/            the basis of all: requests and answers, errors, tokens, quotas, the clock, ids
py.typed         its types are for type checkers, too

A file or folder imports from those below it only; `.importlinter` has the exact layers. `Emulator` does no input or
output: time, chance and the way to subscribers are given to it. For users of it: docs/graph-emulator.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from entra_graph_emulator.directory.objects import User
    from entra_graph_emulator.directory.tenant import Tenant
    from entra_graph_emulator.emulator import Emulator
    from entra_graph_emulator.notifications.delivery import PendingPost, Poster, PostOutcome
    from entra_graph_emulator.transport import EmulatorTransport
    from entra_graph_emulator.wire.clock import Clock, ManualClock, WallClock
    from entra_graph_emulator.wire.messages import ConnectionLost, Request, Response

__version__ = "0.1.0"

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

_ROOMS: Final = {
    "Clock": "wire.clock",
    "ConnectionLost": "wire.messages",
    "Emulator": "emulator",
    "EmulatorTransport": "transport",
    "ManualClock": "wire.clock",
    "PendingPost": "notifications.delivery",
    "PostOutcome": "notifications.delivery",
    "Poster": "notifications.delivery",
    "Request": "wire.messages",
    "Response": "wire.messages",
    "Tenant": "directory.tenant",
    "User": "directory.objects",
    "WallClock": "wire.clock",
}


def __getattr__(name: str) -> Any:
    """Imported when it is asked for: the command does without httpx, and pytest without all until a test needs it."""
    if name not in _ROOMS:
        raise AttributeError(f"{__name__} has no {name}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
