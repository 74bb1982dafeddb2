"""Reads sync.yaml: once, at the edge, with every fault in one report and its line.

The shapes below are the file's; what comes out are the model's values. Nothing secret belongs in this file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from . import model
from .errors import ConfigError, Fault
from .mapping import DEFAULT_MAPPING, TARGET_ATTRIBUTES

type Path_ = tuple[str | int, ...]

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _duration(value: object) -> object:
    """`30m`, `24h` or `7d`."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a duration such as 30m, 24h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class TenantShape(_Shape):
    id: UUID
    cloud: Literal["global", "usgov", "dod", "china"] = "global"


class ScopeShape(_Shape):
    users: Literal["all"] = "all"


class RuleShape(_Shape):
    target: str
    source: str | None = None
    constant: bool | str | list[str] | None = None
    apply: model.Apply = model.Apply.ALWAYS
    when_null: model.WhenNull = model.WhenNull.CLEAR

    def rule(self) -> model.Rule:
        constant: model.Json = [*self.constant] if isinstance(self.constant, list) else self.constant
        return model.Rule(
            target=self.target, source=self.source, constant=constant, apply=self.apply, when_null=self.when_null
        )


class MatchingShape(_Shape):
    adopt: model.Adoption = model.Adoption.NONE


class DeprovisionShape(_Shape):
    out_of_scope: model.Deprovision = model.Deprovision.SOFT_DELETE
    source_deleted: model.Deprovision = model.Deprovision.SOFT_DELETE
    deleted_in_target: model.DeletedInTarget = model.DeletedInTarget.LEAVE


class GuardShape(_Shape):
    max_percent: float = Field(default=5, ge=0, le=100)
    min_count: int = Field(default=10, ge=0)
    window: Annotated[timedelta, BeforeValidator(_duration)] = timedelta(hours=24)


class SyncShape(_Shape):
    name: Name
    source: str
    target: str
    scope: ScopeShape = ScopeShape()
    mapping: list[RuleShape] | None = None
    matching: MatchingShape = MatchingShape()
    deprovision: DeprovisionShape = DeprovisionShape()
    deletion_guard: GuardShape = GuardShape()


class FileShape(_Shape):
    tenants: dict[Name, TenantShape] = Field(min_length=1)
    syncs: list[SyncShape] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    tenants: Mapping[str, model.Tenant]
    syncs: Mapping[str, model.Sync]

    @property
    def source_tenants(self) -> dict[str, model.Tenant]:
        return {sync.source.key: sync.source for sync in self.syncs.values()}

    @property
    def target_tenants(self) -> dict[str, model.Tenant]:
        return {sync.target.key: sync.target for sync in self.syncs.values()}

    @property
    def syncs_by_source(self) -> dict[str, list[str]]:
        """The names of the syncs that each source tenant feeds."""
        return {key: [s.name for s in self.syncs.values() if s.source.key == key] for key in self.source_tenants}


def load_config(path: Path) -> Config:
    """The configuration, or one ConfigError that lists every fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Fault(where=path.name, message=f"cannot be read: {type(error).__name__}")]) from error
    return parse_config(text, path.name)


def parse_config(text: str, name: str = "sync.yaml") -> Config:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:
        # PyYAML trips over a value that does not fit its tag (`!!bool maybe`), each kind in its own way.
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise ConfigError([Fault(where=where, message=f"not YAML: {getattr(error, 'problem', error)}")]) from error
    lines = _lines(node)
    try:
        shape = FileShape.model_validate(data if data is not None else {})
    except ValidationError as error:
        raise ConfigError([_fault(name, lines, e["loc"], _message(dict(e))) for e in error.errors()]) from error
    faults = [_fault(name, lines, path, message) for path, message in _cross_checks(shape)]
    if faults:
        raise ConfigError(faults)
    return _build(shape)


def _build(shape: FileShape) -> Config:
    tenants = {key: model.Tenant(key=key, id=str(t.id), cloud=t.cloud) for key, t in shape.tenants.items()}
    return Config(tenants=tenants, syncs={sync.name: _sync(sync, tenants) for sync in shape.syncs})


def _sync(shape: SyncShape, tenants: Mapping[str, model.Tenant]) -> model.Sync:
    deprovision, guard = shape.deprovision, shape.deletion_guard
    return model.Sync(
        name=shape.name,
        source=tenants[shape.source],
        target=tenants[shape.target],
        mapping=DEFAULT_MAPPING if shape.mapping is None else tuple(rule.rule() for rule in shape.mapping),
        policy=model.Policy(
            adopt=shape.matching.adopt,
            out_of_scope=deprovision.out_of_scope,
            source_deleted=deprovision.source_deleted,
            deleted_in_target=deprovision.deleted_in_target,
        ),
        guard=model.GuardLimits(max_percent=guard.max_percent, min_count=guard.min_count, window=guard.window),
    )


def _cross_checks(shape: FileShape) -> list[tuple[Path_, str]]:
    """What no single field can know."""
    faults: list[tuple[Path_, str]] = []
    seen: set[str] = set()
    for i, sync in enumerate(shape.syncs):
        at: Path_ = ("syncs", i)
        if sync.name in seen:
            faults.append(((*at, "name"), f"'{sync.name}' names two syncs"))
        seen.add(sync.name)
        for side in ("source", "target"):
            key = getattr(sync, side)
            if key not in shape.tenants:
                faults.append(((*at, side), f"no tenant is named '{key}'{_nearest(key, shape.tenants)}"))
        if sync.source == sync.target:
            faults.append(((*at, "target"), "source and target are the same tenant"))
        faults += [((*at, "mapping", *path), message) for path, message in _mapping_faults(sync.mapping or [])]
    ids = [tenant.id for tenant in shape.tenants.values()]
    faults += [
        (("tenants", key, "id"), "two tenants have this id")
        for key, tenant in shape.tenants.items()
        if ids.count(tenant.id) > 1
    ]
    return faults


def _mapping_faults(rules: Sequence[RuleShape]) -> list[tuple[Path_, str]]:
    faults: list[tuple[Path_, str]] = []
    targets: set[str] = set()
    for i, rule in enumerate(rules):
        known = TARGET_ATTRIBUTES.get(rule.target)
        if known is None:
            faults.append(
                ((i, "target"), f"'{rule.target}' cannot be written{_nearest(rule.target, TARGET_ATTRIBUTES)}")
            )
        if rule.target in targets:
            faults.append(((i, "target"), f"'{rule.target}' is mapped twice"))
        targets.add(rule.target)
        if "source" in rule.model_fields_set and "constant" in rule.model_fields_set:
            faults.append(((i,), "has both a source and a constant"))
        elif rule.source is None:
            faults += _constant_faults(i, rule)
    return faults


def _constant_faults(i: int, rule: RuleShape) -> list[tuple[Path_, str]]:
    if "constant" not in rule.model_fields_set:
        return [((i,), "has neither a source nor a constant")]
    known = TARGET_ATTRIBUTES.get(rule.target)
    fault = known.fault(rule.rule().constant) if known else None
    return [((i, "constant"), fault)] if fault else []


def _nearest(name: str, known: Mapping[str, object]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" (did you mean '{close[0]}'?)" if close else f" (known: {', '.join(known)})"


def _message(error: Mapping[str, Any]) -> str:
    """pydantic's words, with the remedy where it knows only the rule."""
    match error["type"]:
        case "extra_forbidden":
            return "is not known here"
        case "missing":
            return "is missing"
        case _:
            return str(error["msg"]).removeprefix("Value error, ")


def _fault(name: str, lines: Mapping[Path_, int], path: Sequence[str | int], message: str) -> Fault:
    """The fault with the line of the nearest place that is in the file."""
    known = [tuple(path[:n]) for n in range(len(path), -1, -1) if tuple(path[:n]) in lines]
    line = f":{lines[known[0]]}" if known else ""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return Fault(where=f"{name}{line} {text}".rstrip(), message=message)


def _lines(node: yaml.Node | None) -> dict[Path_, int]:
    lines: dict[Path_, int] = {}
    walked: set[int] = set()  # an alias leads to the same node again, perhaps to one that holds itself

    def walk(node: yaml.Node, path: Path_, line: int) -> None:
        lines[path] = line
        if id(node) in walked:
            return
        walked.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                walk(value, (*path, str(key.value)), key.start_mark.line + 1)
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                walk(value, (*path, i), value.start_mark.line + 1)

    if node is not None:
        walk(node, (), node.start_mark.line + 1)
    return lines
