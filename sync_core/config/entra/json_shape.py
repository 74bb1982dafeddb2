"""Gets at JSON that anybody may have written: each step says what it wanted and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...model.errors import ConfigError, Fault


@dataclass(frozen=True, slots=True)
class At:
    """A value and its place. Raises ConfigError where the value has another shape than is asked for."""

    value: Any
    place: str = "schema"

    def get(self, name: str) -> At:
        """A member; one that is not there is null."""
        if not isinstance(self.value, dict):
            raise self.fault("an object")
        return At(self.value.get(name), f"{self.place}.{name}")

    def items(self) -> Iterator[At]:
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.fault("a list")
        for i, each in enumerate(self.value):
            yield At(each, f"{self.place}[{i}]")

    def text(self, default: str = "") -> str:
        if self.value is None:
            return default
        if not isinstance(self.value, str):
            raise self.fault("text")
        return self.value

    def number(self) -> int:
        if self.value is None:
            return 0
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.fault("a whole number")
        return self.value

    def fault(self, wanted: str) -> ConfigError:
        return ConfigError([Fault(where=self.place, message=f"must be {wanted}")])


def user_mapping(schema: Any) -> At:
    """The object mapping for users. https://learn.microsoft.com/graph/api/resources/synchronization-objectmapping"""
    mappings = [each for rule in At(schema).get("synchronizationRules").items() for each in rule_mappings(rule)]
    users = [each for each in mappings if _is_user(each)]
    if len(users) != 1:
        found = "no object mapping" if not users else "more than one object mapping"
        raise ConfigError([Fault(where="schema.synchronizationRules", message=f"{found} from User to User")])
    return users[0]


def rule_mappings(rule: At) -> list[At]:
    return list(rule.get("objectMappings").items())


def _is_user(mapping: At) -> bool:
    names = (mapping.get("sourceObjectName").text(), mapping.get("targetObjectName").text())
    return all(name.lower() == "user" for name in names)
