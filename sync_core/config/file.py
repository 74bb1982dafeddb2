"""The reader of sync.yaml: it turns the file into values of the model, and reports every fault with its line at once.

The shapes of the file are in shapes.py. The file has no secrets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from .. import model
from ..mapping import source_attributes
from ..mapping.checks import Finding, mapping_faults, nearest, recorded_faults, rule_warnings
from ..mapping.leavers import leaver_warnings
from ..model.errors import ConfigError, Fault
from ..scope.checks import asks_for_enabled, clause_faults, clause_warnings
from .shapes import FileShape, FilterShape, ScopeShape, SyncShape
from .sound import sound
from .yaml_lines import Lines, Path_, parse_yaml

# A file may come from a caller, with a few lines of aliases, and for each fault the nearest name is looked up.
_MOST_FAULTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The content of sync.yaml. `warnings` name settings that are valid but may not do what was meant."""

    tenants: Mapping[str, model.Tenant]
    syncs: Mapping[str, model.Sync]
    receivers: Sequence[model.Receiver] = ()
    warnings: Sequence[Fault] = ()
    text: str = field(default="", repr=False, compare=False)  # of the file, where there is one

    @property
    def source_tenants(self) -> dict[str, model.Tenant]:
        return {sync.source.key: sync.source for sync in self.syncs.values()}

    @property
    def target_tenants(self) -> dict[str, model.Tenant]:
        return {sync.target.key: sync.target for sync in self.syncs.values()}

    @property
    def syncs_by_source(self) -> dict[str, list[str]]:
        """The names of the syncs of each source tenant, by the tenant's key."""
        return {key: [s.name for s in self.syncs.values() if s.source.key == key] for key in self.source_tenants}

    @property
    def subscribed_targets(self) -> frozenset[str]:
        """The keys of the target tenants of whose changes Graph is to tell."""
        return frozenset(sync.target.key for sync in self.syncs.values() if sync.subscribe_target)

    @property
    def fingerprint(self) -> str:
        """A digest of all that decides about people: that of every sync."""
        return model.fingerprint([*sorted(sync.fingerprint for sync in self.syncs.values())])

    def no_sync_named(self, name: str) -> str:
        """The fault of a name that no sync has, with the nearest name that one has."""
        return f"no sync is named '{name}'{nearest(name, self.syncs)}"


def load_config(path: Path) -> Config:
    """The content of the file. Raises one ConfigError that lists every fault."""
    return parse_config(read_text(path), path.name)


def read_text(path: Path) -> str:
    """The text of a file. Raises ConfigError, which names the file without its folder."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Fault(where=path.name, message=f"cannot be read: {type(error).__name__}")]) from error


def parse_config(text: str, name: str = "sync.yaml", *, most_syncs: int | None = None) -> Config:
    """The content of a text; faults name it `name`. Raises one ConfigError that lists the faults, a thousand at most.

    More syncs than `most_syncs` are one fault, and nothing else is looked at.
    """
    data, lines = parse_yaml(text, name)
    if most_syncs is not None:
        _count_syncs(data, lines, most_syncs)
    try:
        shape = validated(FileShape, data, lines)
    except ConfigError as error:
        faults = islice(chain(error.faults, _faults_between(data, lines)), _MOST_FAULTS)
        raise ConfigError(list(faults)) from error
    placed = islice(_cross_checks(shape, shape.tenants), _MOST_FAULTS)
    if between := [_fault(lines, each) for each in placed]:
        raise ConfigError(between)
    tenants = {key: model.Tenant(key=key, id=str(t.id), cloud=t.cloud) for key, t in shape.tenants.items()}
    guards = _target_guards(shape)
    return Config(
        tenants=tenants,
        syncs={sync.name: _sync(sync, tenants, guards[sync.target]) for sync in shape.syncs},
        receivers=[each.receiver() for each in shape.notify],
        warnings=[_fault(lines, placed) for placed in _warnings(shape)],
        text=text,
    )


def _count_syncs(data: Any, lines: Lines, most: int) -> None:
    """Raises ConfigError. A list of another shape is for the shapes to refuse."""
    syncs = data.get("syncs") if isinstance(data, dict) else None
    if isinstance(syncs, list) and len(syncs) > most:
        raise ConfigError(
            [lines.fault(("syncs",), f"has {len(syncs)} syncs, at most {most} are allowed here: leave some out")]
        )


def _faults_between(data: Any, lines: Lines) -> Iterator[Fault]:
    """The faults between values, of a file of which some values have faults themselves."""
    good = sound(FileShape, data)
    if good.shape is not None:
        for path, message, line in _cross_checks(good.shape, [str(key) for key in data["tenants"]]):
            place = good.in_file(path)
            if len(place) <= _IN_A_SYNC or not good.may_follow(place):
                yield _fault(lines, (place, message, line))


def validated[S: BaseModel](shape: type[S], data: Any, lines: Lines) -> S:
    """The data in this shape. Raises ConfigError with the line of each fault."""
    try:
        return shape.model_validate(data if data is not None else {})
    except ValidationError as error:
        raise ConfigError([lines.fault(e["loc"], _message(dict(e))) for e in error.errors()]) from error


def _message(error: Mapping[str, Any]) -> str:
    """pydantic's message, or a plainer one of ours."""
    match error["type"]:
        case "extra_forbidden":
            return "is not known here"
        case "missing":
            return "is missing"
        case _:
            return str(error["msg"]).removeprefix("Value error, ")


def _target_guards(file: FileShape) -> Mapping[str, model.GuardLimits]:
    """By the target's key, for all syncs into it together. By default no sync alone meets it: the widest limits."""
    into: dict[str, list[model.GuardLimits]] = {}
    for sync in file.syncs:
        into.setdefault(sync.target, []).append(sync.deletion_guard.limits())
    own = {key: tenant.deletion_guard for key, tenant in file.tenants.items()}
    return {key: _widest(each) if (guard := own[key]) is None else guard.limits() for key, each in into.items()}


def _widest(each: Sequence[model.GuardLimits]) -> model.GuardLimits:
    months = [limits.windows[1] for limits in each]
    return model.GuardLimits(
        max_percent=max(limits.max_percent for limits in each),
        min_count=max(limits.min_count for limits in each),
        window=min(limits.window for limits in each),
        month=model.Limit(
            max_percent=max(month.max_percent for month in months),
            min_count=max(month.min_count for month in months),
            window=model.MONTH,
        ),
    )


def _sync(shape: SyncShape, tenants: Mapping[str, model.Tenant], target_guard: model.GuardLimits) -> model.Sync:
    deprovision = shape.deprovision
    return model.Sync(
        name=shape.name,
        source=tenants[shape.source],
        target=tenants[shape.target],
        mapping=shape.rules,
        assigned=_assigned(shape.scope),
        filters=tuple(_filter(each) for each in shape.scope.filters),
        policy=model.Policy(
            adopt=shape.matching.adopt,
            out_of_scope=deprovision.out_of_scope,
            source_deleted=deprovision.source_deleted,
            deleted_in_target=deprovision.deleted_in_target,
            drift=shape.drift.policy(),
        ),
        mode=shape.mode,
        invite=shape.matching.invite,
        domains=frozenset(each.lower() for each in shape.matching.domains),
        owner_attribute=shape.matching.owner_attribute,
        guard=shape.deletion_guard.limits(),
        target_guard=target_guard,
        creation_guard=None if shape.creation_guard is None else shape.creation_guard.limit(),
        subscribe_target=shape.drift.subscribe,
        record_values=frozenset(shape.record_values),
    )


def _assigned(shape: ScopeShape) -> model.Assigned | None:
    if shape.users == "all":
        return None
    return model.Assigned(groups=frozenset(map(str, shape.groups)), members=frozenset(map(str, shape.members)))


def _filter(shape: FilterShape) -> model.Filter:
    return model.Filter(name=shape.name, clauses=tuple(clause.clause() for clause in shape.clauses))


_IN_A_SYNC = 3  # the length of the path of a sync's own field: none of these depends on another

type Placed = tuple[Path_, str, int]  # path of the value, message, and the line within the value (0: none)


def _fault(lines: Lines, placed: Placed) -> Fault:
    path, message, line = placed
    return lines.fault(path, message, line)


def _placed(path: Path_, finding: Finding) -> Placed:
    return (path if finding.key is None else (*path, finding.key)), finding.message, finding.line


def _cross_checks(shape: FileShape, tenants: Collection[str]) -> Iterator[Placed]:
    """The faults that concern more than one field. `tenants` are the keys of all of them."""
    seen: set[str] = set()
    for i, sync in enumerate(shape.syncs):
        at: Path_ = ("syncs", i)
        if sync.name in seen:
            yield (*at, "name"), f"'{sync.name}' names two syncs", 0
        seen.add(sync.name)
        for side in ("source", "target"):
            key = getattr(sync, side)
            if key not in tenants:
                yield (*at, side), f"no tenant is named '{key}'{nearest(key, tenants)}", 0
        if sync.source == sync.target:
            yield (*at, "target"), "source and target are the same tenant", 0
        yield from _scope_faults(at, sync)
        rules = [(rule.rule(), rule.model_fields_set) for rule in sync.mapping or []]
        yield from (_placed((*at, "mapping", n), finding) for n, finding in mapping_faults(rules))
        recorded = recorded_faults(sync.record_values, sync.rules)
        yield from (((*at, "record_values", n), message, 0) for n, message in recorded)
        owner = sync.matching.owner_attribute
        if owner is not None and any(rule.target == owner for rule, _ in rules):
            yield (
                (*at, "matching", "owner_attribute"),
                "is a target of the mapping too: give it an attribute of its own",
                0,
            )
    yield from _notify_faults(shape, seen)
    ids = Counter(tenant.id for tenant in shape.tenants.values())
    for key, tenant in shape.tenants.items():
        if ids[tenant.id] > 1:
            yield ("tenants", key, "id"), "two tenants have this id", 0


def _notify_faults(shape: FileShape, syncs: Collection[str]) -> Iterator[Placed]:
    addresses: set[str] = set()
    for n, each in enumerate(shape.notify):
        at: Path_ = ("notify", n)
        if (each.teams is None) is (each.webhook is None):
            yield at, "needs either teams or webhook", 0
        if each.webhook is not None and each.secret is None:
            yield (*at, "webhook"), "needs a secret: the receiver could not tell who sends it", 0
        if each.teams is not None and each.secret is not None:
            yield (*at, "secret"), "is for webhook only: the address of a Teams workflow is its secret", 0
        address = each.teams or each.webhook
        if address is not None and address in addresses:
            yield (*at, "teams" if each.teams else "webhook"), f"'{address}' is named by another receiver, too", 0
        addresses.add(address or "")
        for m, name in enumerate(each.syncs):
            if name not in syncs:
                yield (*at, "syncs", m), f"no sync is named '{name}'{nearest(name, syncs)}", 0


def _scope_faults(at: Path_, sync: SyncShape) -> Iterator[Placed]:
    yield from _assignment_faults((*at, "scope"), sync.scope)
    names: set[str] = set()
    for n, each in enumerate(sync.scope.filters):
        path: Path_ = (*at, "scope", "filters", n)
        if each.name in names:
            yield (*path, "name"), f"'{each.name}' names two filters", 0
        names.add(each.name)
        for m, clause in enumerate(each.clauses):
            for finding in clause_faults(clause.clause(), clause.model_fields_set):
                yield _placed((*path, "clauses", m), finding)


def _assignment_faults(at: Path_, scope: ScopeShape) -> Iterator[Placed]:
    named = scope.groups or scope.members
    if scope.users == "assigned" and not named:
        yield (*at, "users"), "is assigned, but groups and members are empty: no user would be in scope", 0
    if scope.users == "all" and named:
        yield (*at, "users"), "is all, but groups or members are given: set it to assigned, or remove them", 0


def _assignment_warnings(at: Path_, scope: ScopeShape) -> Iterator[Placed]:
    for key, ids in (("groups", scope.groups), ("members", scope.members)):
        seen: set[UUID] = set()
        for n, each in enumerate(ids):
            if each in seen:
                yield (*at, key, n), "is named twice", 0
            seen.add(each)


def _warnings(shape: FileShape) -> Iterator[Placed]:
    owner_attributes: dict[str, str] = {}  # by the target's key
    for i, sync in enumerate(shape.syncs):
        at: Path_ = ("syncs", i)
        yield from _assignment_warnings((*at, "scope"), sync.scope)
        owner = sync.matching.owner_attribute
        if owner is not None and owner_attributes.setdefault(sync.target, owner) != owner:
            message = f"another sync into '{sync.target}' has another one: each may adopt B2B users of the other"
            yield (*at, "matching", "owner_attribute"), message, 0
        yield from _guarded_reads(at, sync)
        for n, each in enumerate(sync.scope.filters):
            for m, clause in enumerate(each.clauses):
                for finding in clause_warnings(clause.clause(), clause.model_fields_set):
                    yield _placed((*at, "scope", "filters", n, "clauses", m), finding)
        for n, rule in enumerate(sync.mapping or []):
            yield from (_placed((*at, "mapping", n), finding) for finding in rule_warnings(rule.rule()))
        if sync.mapping is not None:
            rules = [rule.rule() for rule in sync.mapping]
            for number, finding in leaver_warnings(rules, disabled_users=_may_have_disabled_users(sync)):
                yield _placed((*at, "mapping") if number is None else (*at, "mapping", number), finding)


def _guarded_reads(at: Path_, sync: SyncShape) -> Iterator[Placed]:
    """Graph shows some attributes as null to an app without one more role."""
    message = (
        "'{}' can be read with the role {} alone, in the source tenant: `xtsync doctor` says whether the app has it"
    )
    for n, each in enumerate(sync.scope.filters):
        for m, clause in enumerate(each.clauses):
            if role := model.READ_ROLES.get(clause.attribute):
                path = (*at, "scope", "filters", n, "clauses", m, "attribute")
                yield path, message.format(clause.attribute, role), 0
    for n, rule in enumerate(sync.mapping or []):
        for name in sorted(model.READ_ROLES.keys() & source_attributes([rule.rule()])):
            yield (*at, "mapping", n), message.format(name, model.READ_ROLES[name]), 0


def _may_have_disabled_users(sync: SyncShape) -> bool:
    """Unless each filter asks for enabled users, and the others lose access by policy."""
    enabled = [any(asks_for_enabled(clause.clause()) for clause in each.clauses) for each in sync.scope.filters]
    first = model.stages_of(sync.deprovision.out_of_scope)[0]
    return not (enabled and all(enabled)) or first.then is model.Deprovision.LEAVE or bool(first.after)
