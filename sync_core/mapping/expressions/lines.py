"""Evaluates expressions that come as JSON lines, for `xtsync expression`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Any

from .errors import ExpressionError
from .expression import Expression, compile  # noqa: A004  # the same word as everywhere
from .values import Context, Flow

_FIELDS = {"expression", "source", "now", "context"}
_CONTEXT = {"existing_target_values", "default_domain"}


class _LineError(Exception):
    pass


def evaluate_lines(lines: Iterable[str], *, now_default: datetime, seed: int) -> Iterator[str]:
    """One line of JSON for each line of JSON: `{"value":..}`, `{"flow":"ignore"}` or `{"error":..}`.

    Input is `{"expression":.., "source":{..}, "now":.., "context":{..}}`, of which only the expression must be there.
    `now` is ISO 8601, UTC unless it says otherwise. Every line has its own random source, made of `seed` and its
    number, so that lines do not depend on each other. Blank lines are skipped. A value that an
    expression redacts comes with `"log"`, the text that logs would show for it.
    """
    for count, line in enumerate(lines):
        if line.strip():
            yield _dump(_answer(line, now_default, Random(f"{seed}:{count}")))


def _dump(answer: dict[str, Any]) -> str:
    text = json.dumps(answer, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair has no UTF-8 form
        return json.dumps(answer)
    return text


def _answer(line: str, now: datetime, random: Random) -> dict[str, Any]:
    try:
        request = _request(line)
        expression = _compiled(_field(request, "expression", str))
        source = _field(request, "source", dict, {})
        value = expression.evaluate(source, _context(request, now, random))
    except (ExpressionError, _LineError) as error:
        return {"error": str(error)}
    if isinstance(value, Flow):
        return {"flow": value.value}
    return {"value": value} | ({"log": expression.log_value(value)} if expression.redacts else {})


@lru_cache(maxsize=256)
def _compiled(text: str) -> Expression:
    return compile(text, looked_up=True)


def _request(line: str) -> dict[str, Any]:
    try:
        request = json.loads(line, parse_constant=_no_constant)
    except (RecursionError, ValueError):
        raise _LineError("the line is not JSON") from None
    if not isinstance(request, dict):
        raise _LineError("the line is not a JSON object")
    _only(request, _FIELDS, "")
    return request


def _no_constant(_name: str) -> None:
    raise ValueError("JSON has no NaN and no Infinity")


def _only(given: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(given.keys() - known)
    if unknown:
        raise _LineError(f"'{where}{unknown[0][:40]}' is not known; known: {', '.join(sorted(known))}")


def _field(request: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    value = request.get(name, default)
    if value is None:
        value = default
    if not isinstance(value, kind):
        raise _LineError(f"'{name}' must be {'text' if kind is str else 'an object'}")
    return value


def _context(request: dict[str, Any], now: datetime, random: Random) -> Context:
    context = _field(request, "context", dict, {})
    _only(context, _CONTEXT, "context.")
    existing, domain = context.get("existing_target_values"), context.get("default_domain")
    if existing is not None and not (isinstance(existing, list) and all(isinstance(v, str) for v in existing)):
        raise _LineError("'context.existing_target_values' must be a list of text")
    if domain is not None and not isinstance(domain, str):
        raise _LineError("'context.default_domain' must be text")
    return Context(now=_now(request, now), random=random, existing_target_values=existing, default_domain=domain)


def _now(request: dict[str, Any], default: datetime) -> datetime:
    text = request.get("now")
    if text is None:
        return default
    try:
        return iso_time(text)
    except ValueError as error:
        raise _LineError(f"'now' {error}") from None


def iso_time(text: object) -> datetime:
    """In UTC, which it is unless the text says otherwise. Raises ValueError."""
    try:
        time = datetime.fromisoformat(str(text))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be an ISO 8601 time such as 2025-07-30T00:00:00Z") from None
