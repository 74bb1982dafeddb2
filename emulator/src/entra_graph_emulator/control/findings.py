"""What the strict mode noticed: calls that no page of Graph has, calls that were refused, permissions beyond need."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from entra_graph_emulator.wire.messages import JsonObject

UNDOCUMENTED: Final = "undocumented"
REFUSED: Final = "refused"
PERMISSION: Final = "permission"
_MOST: Final = 10_000  # different findings; a fuzzer must not fill the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One kind of call. `path` is the route's, with `{}` for keys."""

    tenant: str
    app: str
    method: str
    path: str


class Findings:
    """`enabled` switches the recording; findings that were recorded stay until they are cleared."""

    def __init__(self, *, enabled: bool = False) -> None:
        self.enabled = enabled
        self.clear()

    def clear(self) -> None:
        self._noted: Counter[tuple[str, Seen, str]] = Counter()
        # Of each kind of call: the permissions of its page's least privileged, those that were in the token.
        self._permitted: dict[Seen, tuple[frozenset[str], frozenset[str] | None]] = {}
        self._calls: Counter[Seen] = Counter()

    def note(self, kind: str, call: Seen, detail: str) -> None:
        if len(self._noted) < _MOST:
            self._noted[kind, call, detail] += 1

    def permitted(
        self, call: Seen, *, least: Iterable[str], sufficient: Iterable[str], held: frozenset[str] | None
    ) -> None:
        """A call that the permissions in its token allowed. `held` None: a token with every permission."""
        useful = None if held is None else held.intersection(sufficient)
        self._permitted[call] = (frozenset(least), useful)
        self._calls[call] += 1

    def report(self) -> list[JsonObject]:
        """Each finding with its number of calls, in the order of their first.

        A permission beyond the least one is no finding if another call of the same app needs it as its least.
        """
        noted = [_shown(kind, call, detail, count) for (kind, call, detail), count in self._noted.items()]
        return [*noted, *self._excess()]

    def _excess(self) -> list[JsonObject]:
        needed: dict[tuple[str, str], set[str]] = {}
        for call, (least, useful) in self._permitted.items():
            needed.setdefault((call.tenant, call.app), set()).update(least.intersection(useful or ()))
        found = []
        for call, (least, useful) in self._permitted.items():
            least_text = " or ".join(sorted(least))
            if useful is None:
                detail = f"the token has every permission; {least_text} is enough"
            elif useful.isdisjoint(needed[call.tenant, call.app]):
                detail = f"{', '.join(sorted(useful))} is more than {least_text}"
            else:
                continue
            found.append(_shown(PERMISSION, call, detail, self._calls[call]))
        return found


def _shown(kind: str, call: Seen, detail: str, count: int) -> JsonObject:
    return {
        "kind": kind,
        "tenant": call.tenant,
        "app": call.app,
        "method": call.method,
        "path": f"/{call.path}",
        "detail": detail,
        "count": count,
    }
