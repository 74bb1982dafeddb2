"""Traces and metrics, which somebody may turn on: the port, and what stands behind it until then.

It is one for the process, like the log: what is called from everywhere is not handed through everything. While it is
off, a span is one object that does nothing, and no library is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .metrics import Metric

type Value = str | int | float
type Attributes = Mapping[str, Value]


class Kind(StrEnum):
    """https://opentelemetry.io/docs/specs/otel/trace/api/#spankind"""

    RECEIVED = "received"  # a request of somebody else
    WORKED = "worked"  # a message of a queue, or a timer's run
    SENT = "sent"  # a request of ours: a part of what is under way, or nothing
    INSIDE = "inside"


class Span(Protocol):
    """A part of a trace, while it goes on. Attributes are ids, names of ours and numbers: never a value of a user."""

    @property
    def traceparent(self) -> str:
        """What a message carries, so that what follows is part of this trace. Empty while telemetry is off.

        https://www.w3.org/TR/trace-context/#traceparent-header
        """
        ...

    def note(self, attributes: Attributes) -> None: ...

    def failed(self, error: str) -> None:
        """By the short name of an error. An exception that leaves the span does the same."""
        ...


class Telemetry(Protocol):
    def span(self, name: str, kind: Kind, attributes: Attributes, parent: str) -> AbstractContextManager[Span]:
        """Part of the span under way. What was received or worked on is part of `parent` alone, or a trace of its own.

        `parent` is a traceparent; one that cannot be read counts as none.
        """
        ...

    def measured(self, metric: Metric, value: float, attributes: Mapping[str, str]) -> None: ...


class _NoSpan:
    traceparent = ""

    def note(self, attributes: Attributes) -> None:
        pass

    def failed(self, error: str) -> None:
        pass


class Off:
    def __init__(self) -> None:
        self._span: AbstractContextManager[Span] = nullcontext(_NoSpan())

    def span(self, name: str, kind: Kind, attributes: Attributes, parent: str) -> AbstractContextManager[Span]:  # noqa: ARG002
        return self._span

    def measured(self, metric: Metric, value: float, attributes: Mapping[str, str]) -> None:
        pass


_process: list[Telemetry] = [Off()]


def install(telemetry: Telemetry) -> Telemetry:
    """From here on this one gets everything. Gives the one before."""
    before, _process[0] = _process[0], telemetry
    return before


def span(
    name: str, kind: Kind = Kind.INSIDE, attributes: Attributes | None = None, *, parent: str = ""
) -> AbstractContextManager[Span]:
    return _process[0].span(name, kind, attributes or {}, parent)


def measured(metric: Metric, value: float, attributes: Mapping[str, str]) -> None:
    _process[0].measured(metric, value, attributes)
