"""The functions of an application with their bindings, as the worker's index has them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TRIGGERS = frozenset({"httpTrigger", "queueTrigger", "timerTrigger"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One decorator: its kind, the parameter it fills, and the options written in it."""

    kind: str
    name: str
    is_output: bool
    options: Mapping[str, Any]

    @property
    def is_trigger(self) -> bool:
        """Recognized by its suffix, so that an unsupported trigger still counts as a trigger."""
        return self.kind.endswith("Trigger")

    def text(self, option: str) -> str:
        """The option as written in the decorator, or the empty string."""
        value = self.options.get(option)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One indexed function. After validation it has exactly one trigger."""

    id: str
    name: str
    bindings: tuple[Binding, ...]
    has_retry_policy: bool = False

    @property
    def trigger(self) -> Binding:
        """The one trigger. Raises StopIteration if there is none, which validation refuses."""
        return next(binding for binding in self.bindings if binding.is_trigger)

    @property
    def inputs(self) -> tuple[Binding, ...]:
        """The bindings that the host reads before each invocation."""
        return tuple(b for b in self.bindings if not b.is_output and not b.is_trigger)

    @property
    def outputs(self) -> tuple[Binding, ...]:
        """The bindings that the host writes after each successful invocation."""
        return tuple(b for b in self.bindings if b.is_output and b.kind != "http")

    def output(self, name: str) -> Binding:
        """The output binding of that parameter."""
        return next(binding for binding in self.outputs if binding.name == name)


def parse_binding(raw: str) -> Binding:
    """One entry of the worker's `raw_bindings`, a JSON text in function.json's terms."""
    options = json.loads(raw)
    return Binding(
        kind=options["type"],
        name=options["name"],
        is_output=str(options["direction"]).upper() == "OUT",
        options=options,
    )
