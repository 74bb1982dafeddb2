"""Failures on demand: the requests that fail, how they fail, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Final

from entra_graph_emulator.wire.errors import GraphError
from entra_graph_emulator.wire.messages import Response
from entra_graph_emulator.wire.words import words


class Mode(StrEnum):
    STATUS = "status"  # answers `status`; nothing is done
    RESET = "reset"  # the connection breaks; nothing is done
    SLOW = "slow"  # done and answered after `delay_s`
    APPLIED = "applied"  # done, but answers `status`
    TRUNCATE = "truncate"  # done, but the body ends halfway


@dataclass(slots=True, kw_only=True)
class Fault:
    """`path` is a glob over what follows `/v1.0`; `method`, `tenant` None: any; `count` None: without end."""

    id: int
    path: str
    method: str | None
    tenant: str | None
    status: int
    mode: Mode
    probability: float
    count: int | None
    retry_after: int | None
    delay_s: float
    chance: Random
    hits: int = 0

    def strikes(self, method: str, path: str, tenant: str) -> bool:
        if self.count is not None and self.hits >= self.count:
            return False
        if self.method not in {None, method} or self.tenant not in {None, tenant}:
            return False
        if not fnmatchcase(path, self.path) or self.chance.random() >= self.probability:
            return False
        self.hits += 1
        return True

    def error(self) -> GraphError:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        code, message = _TEXTS.get(self.status, ("UnknownError", "An error occurred."))
        return GraphError(self.status, code, message, headers=headers)

    def describe(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _SHOWN}


_SHOWN: Final = words("id method path tenant status mode probability count retry_after delay_s hits")
_TEXTS: Final = {
    400: ("Request_BadRequest", "Invalid request."),
    401: ("InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
    403: ("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
    404: ("Request_ResourceNotFound", "Resource does not exist."),
    409: ("Conflict", "The request conflicts with the state of the resource."),
    423: ("Locked", "The resource is locked."),
    429: ("TooManyRequests", "Please retry again later."),
    500: ("InternalServerError", "Internal server error."),
    502: ("BadGateway", "Bad gateway."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
    504: ("UnknownError", "Gateway timeout."),
    507: ("InsufficientStorage", "Insufficient storage."),
}
_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "method": str,
    "path": str,
    "tenant": str,
    "status": int,
    "mode": str,
    "probability": (int, float),
    "count": int,
    "retry_after": int,
    "delay_s": (int, float),
    "seed": int,
}


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._made = 0

    def add(self, values: Mapping[str, Any]) -> Fault:
        """From JSON. Raises ValueError."""
        given = {name: value for name, value in values.items() if value is not None}
        for name, value in given.items():
            if name not in _TYPES or not isinstance(value, _TYPES[name]) or isinstance(value, bool):
                raise ValueError(f"a fault has {', '.join(_TYPES)}; {name} is none of them or of another type")
        self._made += 1
        fault = Fault(
            id=self._made,
            path=given.get("path", "*"),
            method=given["method"].upper() if "method" in given else None,
            tenant=given.get("tenant"),
            status=given.get("status", 503),
            mode=Mode(given.get("mode", Mode.STATUS)),
            probability=float(given.get("probability", 1)),
            count=given.get("count"),
            retry_after=given.get("retry_after"),
            delay_s=float(given.get("delay_s", 10)),
            chance=Random(given.get("seed", self._made)),
        )
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        self._faults.clear()

    def strike(self, method: str, path: str, tenant: str) -> Fault | None:
        """The first fault that strikes this request. `path` begins after `/v1.0`."""
        return next((fault for fault in self._faults if fault.strikes(method, path, tenant)), None)

    def describe(self) -> list[dict[str, Any]]:
        return [fault.describe() for fault in self._faults]


def truncated(response: Response) -> Response:
    return Response(
        status=response.status, headers=response.headers, body=response.body[: max(1, len(response.body) // 2)]
    )
