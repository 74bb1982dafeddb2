"""Everybody but us: what people and administrators do in both tenants, at any moment, recorded for the model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from entra_graph_emulator import Emulator, Tenant, User
from entra_graph_emulator.wire.errors import GraphError
from entra_graph_emulator.wire.tokens import Caller
from sync_core.assembly import Runtime
from sync_core.ops.creations import approve, list_creations
from sync_core.ops.errors import RefusedError

from .asked import GROUPS
from .history import Exchange
from .instance import Stage
from .memberships import Memberships
from .people import TARGET_DOMAIN, People

_BY_HAND = "00000000-0000-0000-0000-00000000c001"  # the app that administrators of the target use


@dataclass(slots=True, kw_only=True)
class Deeds:
    """What others than us did to the target tenant, as far as the model must know it."""

    edited: dict[tuple[str, str], list[object]] = field(default_factory=dict)  # target id, attribute: values
    last_seen: dict[str, dict[str, Any]] = field(default_factory=dict)  # what those that others deleted were like
    restored: dict[str, datetime] = field(default_factory=dict)  # target id: last time
    invited: dict[str, datetime] = field(default_factory=dict)
    invited_as: dict[str, str] = field(default_factory=dict)  # to which address; a purged user has none any more
    approved: list[tuple[datetime, str]] = field(default_factory=list)  # source id
    hired: dict[str, datetime] = field(default_factory=dict)  # source id
    let_in: list[tuple[datetime, int]] = field(default_factory=list)  # newcomers that a person approved
    ceilings: list[tuple[datetime, int]] = field(default_factory=list)  # edits of sync.yaml
    tables_lost: list[datetime] = field(default_factory=list)
    untouched: dict[str, dict[str, Any]] = field(default_factory=dict)  # others' target users as they should be
    missing: dict[str, datetime] = field(default_factory=dict)  # groups that were deleted: when first
    switched: dict[str, datetime] = field(default_factory=dict)  # target users blocked or enabled: last time
    converted: dict[str, datetime] = field(default_factory=dict)  # target users who are internal since then
    looked: list[datetime] = field(default_factory=list)  # when an operator looked at everybody


_LED = 0.8  # of those whose manager changes, how many have one afterwards


class Others:
    """People, their managers and groups in the source tenant, and whoever meddles with the target tenant."""

    def __init__(
        self,
        stage: Stage,
        emulator: Emulator,
        *,
        source: Tenant,
        target: Tenant,
        managers: bool,
        memberships: Memberships | None,
        changed: Callable[[], None],
    ) -> None:
        self.managers = managers
        self.stage = stage
        self.emulator = emulator
        self.source = source
        self.target = target
        self.deeds = Deeds()
        self.kinds: dict[str, str] = {}  # source id: kind
        self.memberships = memberships
        self._changed = changed  # there may be notifications to deliver
        self._rng = stage.chance.stream("world")
        self._meddler = stage.chance.stream("meddler")
        self._lines = stage.chance.stream("lines")
        self.people = People(stage.chance.stream("people"), source=source, target=target)

    def hides_somebody(self) -> bool:
        """Whether the target has a user whom it does not show everywhere yet."""
        now = self.stage.clock.now()
        return any(user.visible_at > now for user in self.target.users())

    # In the source tenant

    def hire(self) -> None:
        kind, user = self.people.hire()
        if self.stage.weather.rate("source-not-visible"):
            seconds = self.stage.weather.amount("source-not-visible", 0.2, 5)
            user.visible_at = self.stage.clock.now() + timedelta(seconds=seconds)
        self.kinds[user.id] = kind
        self.deeds.hired[user.id] = self.stage.clock.now()
        if self.memberships is not None:
            self.memberships.welcome(user)
        self._remember_others()
        self._note(user.id, f"hired ({kind})")
        if self.managers:
            self.draw_line(user.id)

    def act(self, user_id: str, deed: str, group_id: str = "") -> None:
        """One deed on one source user; what cannot be done now is not done."""
        live, deleted = self.source.find(user_id), self.source.find_deleted(user_id)
        try:
            if live is not None and deed not in {"restore", "purge"}:
                self._act_on_live(live, deed, group_id)
            elif deleted is not None and deed == "restore":
                self.source.restore(deleted)
            elif deleted is not None and deed == "purge":
                self.source.purge(deleted)
            else:
                return
        except GraphError as error:
            self._note(user_id, f"{deed}: cannot ({error.code})")
            return
        self._note(user_id, deed)

    def _act_on_live(self, user: User, deed: str, group_id: str) -> None:
        match deed:
            case "rename":
                self.source.update(user, {"displayName": f"User {self.people.number()}"})
            case "flip":  # there and back: the newest state is an old one
                self.source.update(user, {"displayName": f"Flip {self._rng.randrange(2)}"})
            case "move":
                self.source.update(user, self.people.profile())
            case "clear":
                name = self._rng.choice(("department", "jobTitle", "city", "officeLocation", "businessPhones"))
                self.source.update(user, {name: [] if name == "businessPhones" else None})
            case "readdress":
                if user.get("mail"):
                    self.source.update(user, {"mail": f"new{self.people.number()}@contoso.com"})
            case "disable":
                self.source.update(user, {"accountEnabled": False})
            case "enable":
                self.source.update(user, {"accountEnabled": True})
            case "delete":
                self.source.delete(user)
            case "join" if self.memberships is not None:
                self.memberships.join(user, group_id)
            case "leave" if self.memberships is not None:
                self.memberships.leave(user, group_id)

    def move(self, user: User, city: str | None) -> None:
        self.source.update(user, {"city": city})
        self._note(user.id, f"moves to {city}")

    def act_on_group(self, deed: str, group_id: str = "") -> None:
        if self.memberships is not None:
            what = self.memberships.act(deed, group_id)
            for group in GROUPS:
                if self.source.groups.find(group) is None:
                    self.deeds.missing.setdefault(group, self.stage.clock.now())
            self._note("groups", what)

    def draw_line(self, report: str | None = None) -> None:
        """Somebody reports to somebody else, or to nobody, from now on."""
        report = report or self._lines.choice([*self.kinds])
        manager = self._lines.choice([*self.kinds]) if self._lines.random() < _LED else None
        user = self.source.find(report)
        if user is None or manager == report or (manager is not None and self.source.find(manager) is None):
            return
        self.source.set_manager(user, manager)
        self._note(report, f"reports to {manager[:8] if manager else 'nobody'}")

    def mass(self, deed: str, share: float) -> None:
        for user in self.source.users():
            if self._rng.random() < share:
                self.act(user.id, deed)

    async def let_in(self, runtime: Runtime) -> None:
        """An operator approves as many newcomers as the list shows. Noted first: the answer may be lost."""
        syncs = [*runtime.config.syncs.values()]
        (listed,) = (await list_creations(runtime, syncs)).syncs
        if listed.code is not None:
            self.deeds.let_in.append((self.stage.clock.now(), listed.waiting))
            self.stage.history.changes["LetIn"] += 1
            with suppress(RefusedError):
                await approve(runtime, syncs, listed.code, by="admin@fabrikam.com")

    # In the target tenant

    def act_in_target(self, target_id: str, deed: str) -> None:
        live, deleted = self.target.find(target_id), self.target.find_deleted(target_id)
        now = self.stage.clock.now()
        try:
            match deed:
                case "target-delete" if live is not None:
                    self.deeds.last_seen[target_id] = deepcopy(live.properties)
                    self.target.delete(live)
                case "target-restore" if deleted is not None:
                    self.target.restore(deleted)
                    self.deeds.restored[target_id] = now
                case "target-purge" if deleted is not None:
                    self.deeds.last_seen.setdefault(target_id, deepcopy(deleted.properties))
                    self.target.purge(deleted)
                case "target-edit" if live is not None:
                    value = f"By hand {self.people.number()}"
                    self.target.update(live, {"jobTitle": value})
                    self.deeds.edited.setdefault((target_id, "jobTitle"), []).append(value)
                case "target-block" | "target-enable" if live is not None:
                    self._switch(live, enabled=deed == "target-enable")
                case "target-convert" if live is not None and target_id not in self.deeds.converted:
                    self._convert(live)
                case _:
                    return
        except GraphError as error:
            self._note(target_id, f"{deed}: cannot ({error.code})")
            return
        if target_id in self.deeds.untouched:
            self._remember(target_id)
        self._note(target_id, deed)

    def _switch(self, user: User, *, enabled: bool) -> None:
        if user.get("accountEnabled") is not enabled:
            self.target.update(user, {"accountEnabled": enabled})
            self.deeds.edited.setdefault((user.id, "accountEnabled"), []).append(enabled)
            self.deeds.switched[user.id] = self.stage.clock.now()
            self.stage.weather.saw("target-enabled" if enabled else "target-blocked")

    def _convert(self, user: User) -> None:
        """To an internal user: https://learn.microsoft.com/entra/identity/users/convert-external-users-internal

        The address stays, and so does `creationType`.
        """
        name = f"internal{self.people.number()}@{TARGET_DOMAIN}"
        self.target.update(user, {"externalUserState": None, "userPrincipalName": name})
        self.deeds.converted[user.id] = self.stage.clock.now()
        self.deeds.untouched.setdefault(user.id, {})
        self.stage.weather.saw("target-converted")

    def invite_by_hand(self, address: str) -> None:
        """An administrator of the target invites the same person."""
        caller = Caller(app=_BY_HAND, tenant=self.target.id)
        body = {"invitedUserEmailAddress": address, "inviteRedirectUrl": "https://fabrikam.example"}
        users = self.target.user_count
        try:
            answer = self.emulator.invitations.invite(self.target, caller, body)
        except GraphError:
            return
        if self.target.user_count > users:
            target_id = answer["invitedUser"]["id"]
            self.deeds.invited[target_id] = self.stage.clock.now()
            self.deeds.invited_as[target_id] = address
            self._remember(target_id)
            self._note(target_id, f"invited by hand: {address}")

    # While a request of ours is under way

    def meddle(self, exchange: Exchange) -> None:
        weather = self.stage.weather
        if exchange.path == "/invitations" and exchange.done_at is None and weather.strikes("invited-by-hand"):
            self.invite_by_hand(str(exchange.body["invitedUserEmailAddress"]))
        if exchange.taken and exchange.taken.user and weather.strikes("meddling"):
            deed = self._meddler.choice(_TIGHT if self.memberships is None else _TIGHT_IN_GROUPS)
            if deed.startswith("target-"):
                self.act_in_target(exchange.object_id, deed)
            else:
                self.act(exchange.taken.user, deed)

    def _remember_others(self) -> None:
        for user in self.target.users():
            if user.id not in self.deeds.untouched and str(user.get("createdDateTime")) < "2026":
                self._remember(user.id)

    def _remember(self, target_id: str) -> None:
        user = self.target.find(target_id)
        self.deeds.untouched[target_id] = deepcopy(user.properties) if user is not None else {}

    def _note(self, user_id: str, what: str) -> None:
        self.stage.history.note("world", f"{user_id[:8]} {what}")
        self._changed()


# What happens to one user in between two of our requests.
_TIGHT = (
    *("flip", "flip", "rename", "move", "disable", "enable", "delete", "restore", "restore", "purge"),
    *("target-delete", "target-restore", "target-edit"),
)
_TIGHT_IN_GROUPS = (*_TIGHT, "join", "join", "join", "leave", "leave", "leave")
