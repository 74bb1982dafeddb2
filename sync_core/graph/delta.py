"""What every delta query has in common: its links, and its list of attributes.

https://learn.microsoft.com/graph/delta-query-overview
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from ..model.errors import ResyncRequiredError, UnavailableError
from .client import GraphClient, JsonObject


async def delta_follow(client: GraphClient, url: str) -> JsonObject:
    """The page behind a stored next or delta link. Raises ResyncRequiredError if the link is dead."""
    if not client.ours(url):  # the setting of the Graph host was changed, or the record was
        raise ResyncRequiredError("the stored link leads to another host")
    return await client.follow(url, delta=True)


def delta_links(client: GraphClient, page: JsonObject) -> tuple[str | None, str | None]:
    """The next link and the delta link of a page, of which exactly one is set. Raises UnavailableError otherwise."""
    next_link, delta_link = page.get("@odata.nextLink"), page.get("@odata.deltaLink")
    url = delta_link if next_link is None else next_link
    if url is None or (next_link is not None and delta_link is not None):
        raise UnavailableError("a delta page without exactly one link")
    if not isinstance(url, str) or not client.ours(url):
        raise UnavailableError("a delta page with a link to another host")
    return (None, url) if next_link is None else (url, None)


def selection(names: Iterable[str]) -> str:
    """A $select list, percent-encoded, since a brace would be read as part of the URL template."""
    return quote(",".join(sorted(names)), safe=",")
