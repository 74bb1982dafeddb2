"""Unit tests of mappings, kept by administrators beside sync.yaml: the file cases.yaml and its results.

A case has a source user and the expected values. Attributes that it does not name are not compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from ..mapping import EXTENSION_ATTRIBUTES, apply_mapping
from ..mapping.attributes import EXTENSION_PARENT, directory_extension
from ..mapping.sources import TRUTHS
from ..model import Attributes, Desired, Json, SourceState, SourceUser, Sync
from ..model.errors import ConfigError
from ..scope.verdict import scope
from .file import Config, read_text, validated
from .limits import Shape
from .yaml_lines import Plain, parse_yaml

_ABSENT = "(left out)"
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


class CaseShape(Shape):
    """One case. `target` is written to a new user, `update` to an existing one; `groups` are those of the user."""

    name: str
    sync: str | None = None
    source: dict[str, Any]
    groups: list[UUID] = Field(default=[])
    now: datetime = _NOW
    target: dict[str, Any] = Field(default={})
    update: dict[str, Any] = Field(default={})
    left_out: list[str] = Field(default=[])
    scope: Literal["in", "out"] | None = None
    ignored: bool | None = None


class CasesShape(Shape):
    cases: list[CaseShape] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value that is not as expected. `what` is its place, such as `target.city`."""

    what: str
    expected: Json
    got: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    name: str
    differences: tuple[Difference, ...]


def run_cases(path: Path, config: Config) -> list[CaseResult]:
    """The result of each case, in the order of the file. Raises ConfigError with the line of each fault."""
    data, lines = parse_yaml(read_text(path), path.name)
    shape = validated(CasesShape, data, lines)
    faults = [
        lines.fault(("cases", i, key), message)
        for i, case in enumerate(shape.cases)
        for key, message in _case_faults(case, config)
    ]
    if faults:
        raise ConfigError(faults)
    return [CaseResult(name=case.name, differences=tuple(_compare(case, config))) for case in shape.cases]


def _case_faults(case: CaseShape, config: Config) -> Iterator[tuple[str, str]]:
    if case.sync is None and len(config.syncs) > 1:
        yield "sync", "is missing: there is more than one sync"
    if case.sync is not None and case.sync not in config.syncs:
        yield "sync", config.no_sync_named(case.sync)
    for key in ("source", "target", "update"):
        try:
            json.dumps(getattr(case, key))
        except (TypeError, ValueError, RecursionError):  # an explicit tag, or a value that contains itself
            yield key, "may contain text, numbers, true, false, null, lists and mappings (put dates in quotes)"


def _compare(case: CaseShape, config: Config) -> Iterator[Difference]:
    sync = config.syncs[case.sync] if case.sync else next(iter(config.syncs.values()))
    source = _meant(case.source)
    now = case.now if case.now.tzinfo else case.now.replace(tzinfo=UTC)
    desired = apply_mapping(sync.mapping, source, now=now, seed=case.name)
    first = _flat({**desired.always, **desired.on_create})
    yield from _attributes("target", _meant(case.target), first)
    yield from _attributes("update", _meant(case.update), _flat(desired.always))
    for name in case.left_out:
        if name in first:
            yield Difference(what=f"target.{name}", expected=_ABSENT, got=first[name])
    yield from _in_or_out(case, sync, source, desired)


def _in_or_out(case: CaseShape, sync: Sync, source: Attributes, desired: Desired) -> Iterator[Difference]:
    if case.scope is not None:
        groups = frozenset(map(str, case.groups))
        user = SourceUser(id="case", state=SourceState.LIVE, attributes=source, member_of=groups, read_at=_NOW)
        verdict = scope(sync, user)
        if verdict.in_scope is not (case.scope == "in"):
            got = f"{'in' if verdict.in_scope else 'out'} ({verdict.reason})"
            yield Difference(what="scope", expected=case.scope, got=got)
    if case.ignored is not None and case.ignored is not desired.ignored:
        yield Difference(what="ignored", expected=case.ignored, got=desired.ignored)


def _meant(attributes: Attributes) -> dict[str, Json]:
    """Unquoted values as Graph has them: true and false where the attribute is a truth value, else text.

    Of a directory extension nobody knows the type, so that true, false and whole numbers are what they look like.
    """
    return {
        name: _value(value, typed=name in TRUTHS or directory_extension(name)) for name, value in attributes.items()
    }


def _value(value: Json, *, typed: bool) -> Json:
    if isinstance(value, Plain):
        return value.typed if typed else str(value)
    if isinstance(value, list):
        return [_value(each, typed=typed) for each in value]
    return _meant(value) if isinstance(value, dict) else value


def _attributes(where: str, expected: Mapping[str, Json], got: Attributes) -> Iterator[Difference]:
    for name, value in expected.items():
        found = got.get(name, _ABSENT)
        if type(found) is not type(value) or found != value:
            yield Difference(what=f"{where}.{name}", expected=value, got=found)


def _flat(attributes: Attributes) -> Attributes:
    """The attributes with each extensionAttribute under its own name, as mapping rules name it."""
    parent = attributes.get(EXTENSION_PARENT)
    members = parent if isinstance(parent, dict) else {}
    own = {name: value for name, value in attributes.items() if name != EXTENSION_PARENT}
    return own | {name: members[name] for name in EXTENSION_ATTRIBUTES if name in members}
