"""Pages of `/users` and of deleted items: `$top`, `$skiptoken`, nextLink. https://learn.microsoft.com/graph/paging"""

import base64
import json
from collections.abc import Sequence
from typing import Any, Final

from local.graph_emulator.call import Call, link
from local.graph_emulator.errors import GraphError, bad_request, unsupported_query
from local.graph_emulator.shelf import User

_DEFAULT: Final = 100
_MOST: Final = 999


def page(call: Call, users: Sequence[User], path: str) -> tuple[list[User], dict[str, Any]]:
    """The users of this page, of all given in order of creation, and the annotations that go with it."""
    size = _size(call)
    after = _position(call)
    rest = [user for user in users if user.ordinal > after] if after >= 0 else users
    shown = list(rest[:size])
    notes: dict[str, Any] = {}
    if call.advanced:
        notes["@odata.count"] = len(users)
    if len(rest) > size:
        query = {name: value for name, value in call.request.query.items() if name != "$skiptoken"}
        notes["@odata.nextLink"] = link(call.origin, path, query | {"$skiptoken": _token(call, shown[-1].ordinal)})
    return shown, notes


def _size(call: Call) -> int:
    text = call.request.query.get("$top")
    if text is None:
        return _DEFAULT
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise unsupported_query(f"Invalid page size specified: '{text}'. Must be between 1 and {_MOST} inclusive.")
    return int(text)


def _token(call: Call, ordinal: int) -> str:
    text = json.dumps([call.tenant.id, ordinal, int(call.now.timestamp())], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(call: Call) -> int:
    token = call.request.query.get("$skiptoken")
    if token is None:
        return -1
    try:
        tenant, ordinal, issued = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        age_s, position = call.now.timestamp() - float(issued), int(ordinal)
    except (ValueError, TypeError, OverflowError):
        raise bad_request("Badly formed token.") from None
    if tenant != call.tenant.id:
        raise bad_request("The token is not valid for this request.")
    if age_s > call.tenant.settings.page_token_minutes * 60:
        raise GraphError(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
    return position
