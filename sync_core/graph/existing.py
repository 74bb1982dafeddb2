"""Which users exist now, a thousand in one request. https://learn.microsoft.com/graph/api/directoryobject-getbyids"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import batched

from ..model.errors import UnavailableError
from .client import GraphClient, items

_BY_IDS = "/directoryObjects/getByIds?$select=id"
_MOST_IDS = 1000  # in one request


async def existing_users(client: GraphClient, user_ids: Sequence[str]) -> set[str]:
    """Those of these object ids whose users are there, and not soft-deleted."""
    found: set[str] = set()
    for chunk in batched(user_ids, _MOST_IDS, strict=False):
        page = await client.post(_BY_IDS, body={"ids": list(chunk), "types": ["user"]})
        if page is None or page.get("@odata.nextLink") is not None:
            raise UnavailableError("an incomplete answer to getByIds")
        known = {str(item.get("id")).lower() for item in items(page)}
        found.update(user_id for user_id in chunk if user_id.lower() in known)
    return found
