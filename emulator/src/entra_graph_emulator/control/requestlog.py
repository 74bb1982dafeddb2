"""The requests to the emulator: the newest one by one, all of them as counts."""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any, Final

_KEPT: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    n: int
    id: str  # the answer's header `request-id`
    at: str
    tenant: str
    method: str
    path: str
    status: int
    kind: str
    ms: float


class RequestLog:
    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._kinds: Counter[tuple[str, str]] = Counter()
        self._statuses: Counter[tuple[str, str]] = Counter()
        self._made = 0

    def add(
        self, *, request_id: str, at: str, tenant: str, method: str, path: str, status: int, kind: str, ms: float
    ) -> None:
        self._made += 1
        entry = Entry(
            n=self._made,
            id=request_id,
            at=at,
            tenant=tenant,
            method=method,
            path=path,
            status=status,
            kind=kind,
            ms=ms,
        )
        self._entries.append(entry)
        self._kinds[tenant, kind] += 1
        self._statuses[tenant, str(status)] += 1

    def report(self, *, tenant: str | None = None, since: int = 0, items: bool = True) -> dict[str, Any]:
        """Entries numbered above `since`. Without `since` the counts are over all time, else over those entries."""
        entries = [each for each in self._tail(since) if tenant in {None, each.tenant}] if items or since else []
        if since:
            kinds = Counter(each.kind for each in entries)
            statuses = Counter(str(each.status) for each in entries)
        else:
            kinds, statuses = _of(self._kinds, tenant), _of(self._statuses, tenant)
        return {
            "items": [asdict(each) for each in entries] if items else [],
            "counts": dict(sorted(kinds.items())),
            "statuses": dict(sorted(statuses.items())),
            "last": self._made,
        }

    def _tail(self, since: int) -> list[Entry]:
        """The entries after `since`. Only the end of the log is walked: a follower pays for new entries alone."""
        wanted = min(len(self._entries), self._made - since)
        newest = [entry for _, entry in zip(range(max(0, wanted)), reversed(self._entries), strict=False)]
        return newest[::-1]


def _of(counts: Counter[tuple[str, str]], tenant: str | None) -> Counter[str]:
    total: Counter[str] = Counter()
    for (owner, name), count in counts.items():
        if tenant in {None, owner}:
            total[name] += count
    return total
