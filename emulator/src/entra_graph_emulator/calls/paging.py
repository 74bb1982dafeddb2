"""Pages of collections: `$top`, `$skiptoken`, nextLink. https://learn.microsoft.com/graph/paging"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from entra_graph_emulator.calls.call import Call, link
from entra_graph_emulator.directory.objects import DirectoryObject
from entra_graph_emulator.wire.errors import GraphError, bad_request, unsupported_query

_DEFAULT: Final = 100
_MOST: Final = 999
_T = TypeVar("_T", bound=DirectoryObject)


def page(call: Call, items: Sequence[_T], path: str, *, ordered: bool = False) -> tuple[list[_T], dict[str, Any]]:
    """The items of this page, and the annotations that go with them.

    The token holds the last ordinal shown, so that deletions between two pages skip nobody. If the items are not in
    the order of creation (`ordered`), it holds how many were shown.
    """
    top, after = size(call), position(call, path)
    if ordered:
        rest = list(items[after + 1 :])
    else:
        rest = [item for item in items if item.ordinal > after] if after >= 0 else list(items)
    shown = rest[:top]
    notes: dict[str, Any] = {}
    if call.advanced and after < 0:  # on the first page only
        notes["@odata.count"] = len(items)
    if len(rest) > top:
        query = {name: value for name, value in call.options.items() if name != "$skiptoken"}
        last = after + len(shown) if ordered else shown[-1].ordinal
        notes["@odata.nextLink"] = link(call.origin, path, query | {"$skiptoken": _token(call, path, last)})
    return shown, notes


def size(call: Call) -> int:
    text = call.options.get("$top")
    if text is None:
        return _DEFAULT
    if len(text) > 9 or not 1 <= int(text) <= _MOST:
        raise unsupported_query(f"Invalid page size specified: '{text}'. Must be between 1 and {_MOST} inclusive.")
    return int(text)


def position(call: Call, path: str) -> int:
    """The position in the `$skiptoken`; -1 without a token.

    Raises 400 for a token that is unreadable, expired, or of another tenant or collection.
    """
    token = call.options.get("$skiptoken")
    if token is None:
        return -1
    try:
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        tenant, collection, last, issued = json.loads(packed)
        age_s, place = call.now.timestamp() - float(issued), int(last)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise bad_request("Badly formed token.") from None
    if (tenant, collection) != (call.tenant.id, path) or place < -1:
        raise bad_request("The token is not valid for this request.")
    if age_s > call.tenant.settings.page_token_minutes * 60:
        raise GraphError(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
    return place


def _token(call: Call, path: str, last: int) -> str:
    text = json.dumps([call.tenant.id, path, last, int(call.now.timestamp())], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
