"""The table from each failed answer of Graph to the error that is raised for it, and the headers that it reads.

https://learn.microsoft.com/graph/errors and https://learn.microsoft.com/graph/throttling. Graph's error texts are read
here to choose the error. They are neither logged nor shown, since they quote ids and addresses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ..model.errors import (
    GraphRefusedError,
    NotVisibleYetError,
    ResyncRequiredError,
    SyncError,
    ThrottledError,
    UnavailableError,
)

if TYPE_CHECKING:
    from kiota_abstractions.api_error import APIError

NOT_FOUND = "Request_ResourceNotFound"
_RESET_CODES = frozenset({"syncstatenotfound", "resyncrequired"})
_LONGEST_WAIT = 3600.0  # seconds; after an hour, trying again tells more than a longer wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed answer: its status, the parts of its error body that matter here, and its headers (lower-case names)."""

    status: int
    code: str = ""
    message: str = field(default="", repr=False)
    request_id: str = ""
    targets: Sequence[str] = field(default=(), repr=False)  # of the error's details
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait, from 0 to 3600; None if the header is absent or malformed.

    Graph sends decimals ("2.128"), proxies also send HTTP dates.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    seconds = _seconds(text)
    if seconds is None:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def throttle_percentage(headers: Mapping[str, str]) -> float | None:
    """`x-ms-throttle-limit-percentage`: from 0.8 to 1.8, where 1.2 is 20 % over the limit. None below 0.8."""
    return _seconds(headers.get("x-ms-throttle-limit-percentage", ""))


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def read_failure(error: APIError) -> Failure:
    """Copy the parts that matter out of the SDK's error, and clear its text.

    The SDK's error stays chained to ours, and tracebacks are logged.
    """
    main = getattr(error, "error", None)
    inner = getattr(main, "inner_error", None)
    headers = {str(name).lower(): str(value) for name, value in (error.response_headers or {}).items()}
    failure = Failure(
        status=error.response_status_code or 0,
        code=_text(main, "code"),
        message=_text(main, "message"),
        request_id=headers.get("request-id") or _text(inner, "request_id"),
        targets=[_text(each, "target") for each in getattr(main, "details", None) or ()],
        headers=headers,
    )
    if main is not None:
        main.message = None
        main.details = None
    return failure


def _text(holder: object, name: str) -> str:
    value = getattr(holder, name, None)
    return value if isinstance(value, str) else ""


def error_for(failure: Failure, *, now: datetime, delta: bool = False) -> SyncError:
    """The error to raise for a failed answer: the first row that fits.

    | status | when | error |
    |---|---|---|
    | 429, 503 with Retry-After or a code with "throttled" | | ThrottledError |
    | 5xx, 408, 1xx to 3xx | | UnavailableError |
    | 410; 4xx `syncStateNotFound`, `resyncRequired`; 400 `Request_UnsupportedQuery` about the DeltaLink | delta query | ResyncRequiredError |
    | 404 `Directory_ObjectNotFound`, "Unable to read the company information" | a new object, replicating | NotVisibleYetError |
    | other 4xx | | GraphRefusedError |
    """  # noqa: E501 (a table)
    wait = retry_after(failure.headers, now)
    status, code = failure.status, failure.code.lower()
    label = f"{status} {failure.code}".strip() + f" (request {failure.request_id or 'unknown'})"
    if status == 429 or (status == 503 and (wait is not None or "throttled" in code)):
        return ThrottledError(label, retry_after=wait)
    if not 400 <= status < 500 or status == 408:
        return UnavailableError(label, retry_after=wait)
    if delta and _is_reset(failure):
        return ResyncRequiredError(label)
    if status == 404 and code == "directory_objectnotfound" and "company information" in failure.message.lower():
        return NotVisibleYetError(label, retry_after=wait)
    return GraphRefusedError(
        status=status,
        code=failure.code or "unknown",
        request_id=failure.request_id,
        message=failure.message,
        targets=failure.targets,
    )


def _is_reset(failure: Failure) -> bool:
    """Whether the delta link is dead. https://learn.microsoft.com/graph/delta-query-overview#resets

    An expired link is a 400 `Request_UnsupportedQuery`: "DeltaLink older than 30 days is not supported."
    """
    if failure.status == 410 or failure.code.lower() in _RESET_CODES:
        return True
    aged = failure.code.lower() == "request_unsupportedquery" and "deltalink" in failure.message.lower()
    return failure.status == 400 and aged


def not_found(error: GraphRefusedError) -> bool:
    """Whether Graph itself says that there is no such object. A 404 from a gateway in between does not count."""
    return error.status == 404 and error.graph_code == NOT_FOUND
