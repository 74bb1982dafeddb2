"""A YAML file as values that keep their text, and the line of each, so that a fault names the place to change.

YAML 1.1 takes an unquoted NO for false, 0012 for ten, 12:30 for 750 and 2026-01-31 for a date. Here an unquoted value
is its text, or null; where another type is meant, the shape of the file asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..model.errors import ConfigError, Fault

_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile("0|-?[1-9][0-9]*")
_FLOAT = re.compile(r"(0|-?[1-9][0-9]*)\.[0-9]+")
_KEPT = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}
_PLAIN = "!plain"
# A file may come from a caller of the endpoints: a few lines of aliases can stand for more values than memory holds.
_MOST_VALUES = 100_000

type Path_ = tuple[str | int, ...]


class Plain(str):
    """The text of an unquoted value."""

    __slots__ = ()

    @property
    def typed(self) -> bool | int | float | str:
        """A truth value or number by YAML 1.2's JSON schema, of which Python has the same text; all else is text.

        https://yaml.org/spec/1.2.2/#102-json-schema, with the two other spellings of true and false.
        """
        if _INTEGER.fullmatch(self):
            return int(self)
        return float(self) if _FLOAT.fullmatch(self) else _TRUTH.get(self, str(self))


class _Loader(yaml.SafeLoader):
    """An unquoted value is null, a merge or Plain. An explicit tag (`!!int`) means what it says."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own attribute
        first: [each for each in resolvers if each[0] in _KEPT]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(_PLAIN, re.compile(""), None)
_Loader.add_constructor(_PLAIN, lambda _, node: Plain(node.value))


@dataclass(slots=True, kw_only=True)
class Lines:
    """The lines of one file, by the path of each value. A missing value has the line of the nearest value above it."""

    name: str
    lines: dict[Path_, int] = field(default_factory=dict)
    blocks: set[Path_] = field(default_factory=set)  # values in `|` form, whose lines are lines of the file
    repeated: list[Path_] = field(default_factory=list)  # keys that one mapping has more than once

    def fault(self, path: Sequence[str | int], message: str, line: int = 0) -> Fault:
        """A fault of the value at `path`. `line` counts from 1 within a value of several lines; 0 means none."""
        known = [tuple(path[:n]) for n in range(len(path), -1, -1) if tuple(path[:n]) in self.lines]
        at = self.lines[known[0]] if known else 0
        if line and known[0] in self.blocks:
            at += line
        elif line > 1:
            message = f"line {line}, {message}"
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        where = f"{self.name}:{at}" if at else self.name
        return Fault(where=f"{where} {text}".rstrip(), message=message)


def parse_yaml(text: str, name: str) -> tuple[Any, Lines]:
    """The document, whose unquoted values are Plain or None, and its lines.

    Raises ConfigError for invalid YAML and for repeated keys.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is not None and _values(node, {}) > _MOST_VALUES:
            raise ConfigError([Fault(where=name, message=f"has more than {_MOST_VALUES} values, aliases written out")])
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:
        # If a value does not fit its tag (`!!bool maybe`), PyYAML raises a different error for each kind.
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise ConfigError([Fault(where=where, message=f"not YAML: {getattr(error, 'problem', error)}")]) from error
    lines = Lines(name=name)
    if node is not None:
        _walk(lines, set(), node, (), node.start_mark.line + 1)
    if lines.repeated:
        raise ConfigError([lines.fault(path, "is given twice") for path in lines.repeated])
    return data, lines


def _values(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values there are, each alias counted as what it stands for. One that contains itself counts once."""
    if id(node) not in known:
        known[id(node)] = 1
        parts: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            parts = node.value
        known[id(node)] = 1 + sum([_values(part, known) for part in parts])
    return known[id(node)]


def _walk(lines: Lines, walked: set[int], node: yaml.Node, path: Path_, line: int) -> None:
    if path in lines.lines:
        lines.repeated.append(path)  # YAML forbids it, but PyYAML takes the last one
    lines.lines[path] = line
    if isinstance(node, yaml.ScalarNode) and node.style == "|":
        lines.blocks.add(path)
    if id(node) in walked:  # an alias leads to the same node again, even to one that contains itself
        return
    walked.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _walk(lines, walked, value, (*path, str(key.value)), key.start_mark.line + 1)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            _walk(lines, walked, value, (*path, i), value.start_mark.line + 1)
