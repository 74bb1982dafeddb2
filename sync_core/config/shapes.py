"""The shapes of sync.yaml, which pydantic checks and docs/sync.schema.json is made from.

An editor shows the descriptions; docs/configuration.md says the same with examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from .. import model
from ..mapping import DEFAULT_MAPPING
from ..mapping.attributes import DIRECTORY_EXTENSION, directory_extension
from ..scope.checks import operator_named
from .limits import Creations, CreationShape, GuardShape, Shape
from .stages import LEAVES, leaves
from .yaml_lines import Plain


def _constant(value: object) -> object:
    if isinstance(value, Plain):
        value = value.typed
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [str(each) for each in value]
    raise ValueError("must be text, true, false, a whole number or a list of text")


def _operator(value: object) -> object:
    found = operator_named(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"must be one of {', '.join(model.Operator)}")
    return found


def _filter_value(value: object) -> object:
    """The text that was written: a filter compares nothing else."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(str(each) for each in value)
    raise ValueError("must be text, a whole number, true, false or a date, or a list of them")


def _lower(value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    return value.lower() if isinstance(value, str) else tuple(each.lower() for each in value)


def _owner_attribute(value: str) -> str:
    if not directory_extension(value):
        raise ValueError("must be a directory extension: extension_<app id without hyphens>_<name>, lower-case app id")
    return value


_CONSTANT = {"type": ["string", "boolean", "integer", "array", "null"], "items": {"type": "string"}}
_FILTER_VALUE = {
    "anyOf": [
        {"type": ["string", "boolean", "integer"]},
        {"type": "array", "items": {"type": ["string", "boolean", "integer"]}, "minItems": 1},
    ]
}
_OPERATORS = {"type": "string", "enum": [str(operator) for operator in model.Operator]}

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Constant = Annotated[Any, PlainValidator(_constant), WithJsonSchema(_CONSTANT)]
FilterValue = Annotated[Any, PlainValidator(_filter_value), WithJsonSchema(_FILTER_VALUE)]
OperatorName = Annotated[model.Operator, PlainValidator(_operator), WithJsonSchema(_OPERATORS)]


OwnerAttribute = Annotated[
    str, AfterValidator(_owner_attribute), WithJsonSchema({"type": "string", "pattern": f"^{DIRECTORY_EXTENSION}$"})
]


# No address and no secret is in the file.
NotifySetting = Annotated[str, Field(pattern=r"^XTSYNC_NOTIFY_[A-Z0-9_]+$")]
Leaves = Annotated[Any, PlainValidator(leaves), WithJsonSchema(LEAVES)]
_DOMAIN = r"^(\*|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)$"
Domain = Annotated[str, Field(pattern=_DOMAIN)]


class ClauseShape(Shape):
    """One condition on one source attribute. If the attribute is empty, only IS NULL is true."""

    attribute: str = Field(description="Source attribute, by Graph's name; or memberOf, with object ids of groups.")
    operator: OperatorName = Field(description="An operator of Entra's, or one of our own.")
    value: FilterValue = Field(default="", description="Value to compare with; operators with IS take none.")
    mode: model.RegexMode = Field(
        default=model.RegexMode.FULL,
        description="Whether a regular expression must match the whole value (full) or a part of it (search).",
    )
    match: model.Several = Field(
        default=model.Several.ALL,
        description="Whether all or any values must comply, for an attribute with several values.",
    )

    def clause(self) -> model.Clause:
        value = _lower(self.value) if self.attribute == model.MEMBER_OF else self.value
        return model.Clause(
            attribute=self.attribute, operator=self.operator, value=value, mode=self.mode, match=self.match
        )


class FilterShape(Shape):
    """A set of clauses. The filter is true if every clause is true."""

    name: str = Field(min_length=1, max_length=100, description="Shown in verdicts.")
    clauses: list[ClauseShape] = Field(min_length=1, description="Conditions on the source user.")


class ScopeShape(Shape):
    """The users of the source tenant that are synchronized."""

    users: Literal["all", "assigned"] = Field(
        default="all",
        description="All internal users, or those that groups and members name (assigned). Filters apply to both.",
    )
    groups: list[UUID] = Field(default=[], description="With assigned: object ids of groups; nested members count.")
    members: list[UUID] = Field(default=[], description="With assigned: object ids of single users.")
    filters: list[FilterShape] = Field(
        default=[], description="A user is in scope if at least one filter is true, or if there is no filter."
    )


class RuleShape(Shape):
    """The value of one target attribute: a source attribute, a constant, an expression, or only a default."""

    target: str = Field(description="Target attribute, by Graph's name.")
    source: str | None = Field(default=None, description="Source attribute, by Graph's name.")
    constant: Constant = Field(default=None, description="The same value for every user.")
    expression: str | None = Field(default=None, description="An expression in Entra's language.")
    default: Constant = Field(
        default=None, description="Value instead of null: for new users, or always with when_null: default."
    )
    apply: model.Apply = Field(default=model.Apply.ALWAYS, description="Always, or only when the user is created.")
    when_null: model.WhenNull | None = Field(
        default=None,
        description="Effect of null: clear the attribute, keep it, or write the default. "
        "If not set: keep for a rule with a default, clear for others.",
    )

    drift: model.Edited | None = Field(
        default=None, description="In place of the sync's drift policy for attributes, for this one."
    )

    def rule(self) -> model.Rule:
        when_null = self.when_null
        if when_null is None:
            given_default = "default" in self.model_fields_set
            when_null = model.WhenNull.KEEP if given_default else model.WhenNull.CLEAR
        return model.Rule(
            target=self.target,
            source=self.source,
            constant=self.constant,
            expression=self.expression,
            default=self.default,
            apply=self.apply,
            when_null=when_null,
            drift=self.drift,
        )


class MatchingShape(Shape):
    """The existing B2B users of the target tenant that are adopted."""

    adopt: model.Adoption = Field(
        default=model.Adoption.NONE,
        description="Guests with the source user's address: none, all of them (guests), or the approved ones (review).",
    )
    invite: model.InviteBy = Field(
        default=model.InviteBy.MAIL,
        description="Address to invite: mail, else the user principal name; or the user principal name alone.",
    )
    domains: list[Domain] = Field(
        default=[],
        description="Domains whose addresses are invited besides the verified ones of the source; '*' for all.",
    )
    owner_attribute: OwnerAttribute | None = Field(
        default=None,
        description="Directory extension of the target tenant that names the source user of each B2B user.",
    )


class DeprovisionShape(Shape):
    """The changes to a target user that is no longer wanted."""

    out_of_scope: Leaves = Field(
        default=model.Deprovision.SOFT_DELETE, description="If the source user leaves the scope."
    )
    source_deleted: Leaves = Field(default=model.Deprovision.SOFT_DELETE, description="If the source user is deleted.")
    deleted_in_target: model.DeletedInTarget = Field(
        default=model.DeletedInTarget.LEAVE, description="If the target user is deleted in the target tenant."
    )


class DriftShape(Shape):
    """The changes to a target user that somebody edited or blocked in the target tenant."""

    attributes: model.Edited = Field(
        default=model.Edited.REPORT,
        description="An edited attribute is listed (report), written again (enforce), or not even compared (leave).",
    )
    blocked_in_target: model.Blocked = Field(
        default=model.Blocked.RESPECT, description="Somebody blocked stays so (respect), or is enabled (enforce)."
    )
    repairs: int = Field(default=100, ge=0, description="Users that are repaired within a day, at most.")
    subscribe: bool = Field(
        default=False, description="Have Graph tell of changes in the target: within seconds, not by the next poll."
    )

    def policy(self) -> model.Drift:
        return model.Drift(attributes=self.attributes, blocked_in_target=self.blocked_in_target, repairs=self.repairs)


class TenantShape(Shape):
    """A tenant, under the name by which syncs refer to it."""

    id: UUID = Field(description="Tenant (directory) id.")
    cloud: Literal["global", "usgov", "dod", "china"] = Field(default="global", description="Microsoft cloud.")
    deletion_guard: GuardShape | None = Field(
        default=None,
        description="Limits for all syncs into this tenant together; without them, the widest limits of these syncs.",
    )


class SyncShape(Shape):
    """One direction: users of the source tenant, kept as B2B users in the target tenant."""

    name: Name = Field(description="Name of the sync. It must stay the same, because links are stored under it.")
    source: str = Field(description="Name of a tenant.")
    target: str = Field(description="Name of a tenant.")
    mode: model.Mode = Field(
        default=model.Mode.RUN,
        description="Whether changes are made (run), or only decided and recorded (observe): then nothing is written.",
    )
    scope: ScopeShape = ScopeShape()
    mapping: list[RuleShape] | None = Field(
        default=None, description="Rules; without them, Microsoft's default mapping."
    )
    matching: MatchingShape = MatchingShape()
    deprovision: DeprovisionShape = DeprovisionShape()
    drift: DriftShape = DriftShape()
    deletion_guard: GuardShape = GuardShape()
    creation_guard: Creations = Field(
        default=CreationShape(), description="Ceiling of invitations, above which newcomers wait; or off."
    )
    record_values: list[str] = Field(
        default=[],
        max_length=50,
        description="Target attributes of which the record keeps the values written, which are personal data.",
    )

    @property
    def rules(self) -> Sequence[model.Rule]:
        """The mapping, also where the file leaves it out."""
        return DEFAULT_MAPPING if self.mapping is None else tuple(rule.rule() for rule in self.mapping)


class NotifyShape(Shape):
    """A receiver of notices: one message when something begins to stand in the way, and one when it is over."""

    teams: NotifySetting | None = Field(
        default=None, description="App setting with the address of a Teams workflow; or give webhook."
    )
    webhook: NotifySetting | None = Field(
        default=None, description="App setting with the address of a signed webhook; or give teams."
    )
    secret: NotifySetting | None = Field(
        default=None, description="App setting with the secret by which a webhook is signed: whsec_ and base64."
    )
    events: list[model.Occasion] = Field(
        default=list(model.Occasion), min_length=1, description="Events of which it is told; without them, all."
    )
    syncs: list[Name] = Field(default=[], description="Syncs about which it is told; without them, all.")
    parked_over: int = Field(default=0, ge=0, description="Users that may be parked before it is told of parked.")

    def receiver(self) -> model.Receiver:
        return model.Receiver(
            kind=model.ReceiverKind.WEBHOOK if self.teams is None else model.ReceiverKind.TEAMS,
            address=self.teams or self.webhook or "",
            secret=self.secret or "",
            occasions=frozenset(self.events),
            syncs=frozenset(self.syncs),
            parked_over=self.parked_over,
        )


class FileShape(Shape):
    """sync.yaml of xtsync."""

    tenants: dict[Name, TenantShape] = Field(min_length=1, description="The tenants, each under a name of your choice.")
    syncs: list[SyncShape] = Field(min_length=1, description="The syncs, one for each direction.")
    notify: list[NotifyShape] = Field(default=[], description="The receivers of notices.")
