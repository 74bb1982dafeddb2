"""The emulator's request log: the tenant, the time and the result of each request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.emulated import Emulated


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to Graph, on the emulator's clock."""

    number: int
    tenant: str
    method: str
    path: str
    status: int
    kind: str
    began: datetime
    ended: datetime

    @property
    def done(self) -> bool:
        return 200 <= self.status < 300

    @property
    def writes(self) -> bool:
        return self.done and self.kind in {"write", "invite"}

    @property
    def user(self) -> str:
        """The object id in `/users/{id}`; empty elsewhere."""
        _, _, user = self.path.partition("/users/")
        return "" if "/" in user or user == "delta" else user


class Log:
    """Reads the requests since a given one: take `last` before an action, and pass it to `since` afterwards."""

    def __init__(self, emulated: Emulated) -> None:
        self._emulated = emulated

    async def last(self) -> int:
        """The number of the last request."""
        return int((await self._emulated.control("GET", "/requests?items=false"))["last"])

    async def since(self, number: int, *, tenant: str = "") -> list[Request]:
        """The requests after this number, of one tenant or of all."""
        answer = await self._emulated.control("GET", f"/requests?since={number}&tenant={tenant}")
        return [_request(item) for item in answer["items"]]


def span(requests: Sequence[Request]) -> float:
    """Seconds from the beginning of the first request to the end of the last."""
    return (max(r.ended for r in requests) - min(r.began for r in requests)).total_seconds()


def reads_by_user(requests: Iterable[Request]) -> Counter[str]:
    return Counter(r.user for r in requests if r.method == "GET" and r.user)


def _request(item: dict[str, object]) -> Request:
    began = datetime.fromisoformat(str(item["at"]))
    return Request(
        number=int(str(item["n"])),
        tenant=str(item["tenant"]),
        method=str(item["method"]),
        path=str(item["path"]),
        status=int(str(item["status"])),
        kind=str(item["kind"]),
        began=began,
        ended=began + timedelta(milliseconds=float(str(item["ms"]))),
    )
