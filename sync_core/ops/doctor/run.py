"""Runs every check: first of stored state, then of each app's token on its tenant, then by means of that token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...assembly import Runtime
from ...mapping import source_attributes
from ...model import Tenant
from ...model.errors import GraphRefusedError, SyncError
from ...model.messages import GROUPS
from ...ports import AppOnTenant, Side
from ...scope.verdict import scope_attributes
from .. import documents
from ..documents import Finding, Verdict
from . import policies, stored, subscription, token
from .finding import Check, Found, failed, skipped

# A token that fails one of these is not used for anything else.
_USABLE = frozenset({"token", "tenant", "clock", "graph"})

_KEPT = "table subscriptions, GET /subscriptions/{id}"


async def examine(runtime: Runtime, *, host_json: Path, public_url: str) -> documents.Report:
    """`runtime` is in read-only mode. Raises ConfigError where host.json is none."""
    checkup = Checkup(runtime=runtime, host_encoding=stored.host_encoding(host_json), public_url=public_url)
    findings = await checkup.run()
    failures = sum(each.verdict is Verdict.FAILED for each in findings)
    return documents.Report(at=runtime.clock.now(), failed=failures, findings=findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """`host_encoding` is messageEncoding of host.json: empty where there is none to read."""

    runtime: Runtime
    host_encoding: str
    public_url: str

    async def run(self) -> list[Finding]:
        """In order: of the deployment, then of each app on its tenant."""
        findings = [await _finding("", check) for check in self._deployment()]
        for app in self.runtime.apps:
            findings += await self._app(app)
        return findings

    def _deployment(self) -> list[Check]:
        storage, config, now = self.runtime.storage, self.runtime.config, self.runtime.clock.now()
        syncs = list(config.syncs.values())
        work = "host.json, and the next 32 messages of each work queue"
        standing = "the next message of each work queue, and partition front: of table guards"
        poisoned = "poison queues, and partition poison: of table activity"
        return [
            _check("configuration", "settings and sync.yaml", stored.configuration, syncs, len(config.warnings)),
            _check("tenants of syncs", "table guards", stored.tenants, self.runtime.configurations, syncs),
            _check("pauses", "table controls, and sync.yaml", stored.pauses, self.runtime.pauses, syncs),
            _check("queue encoding", work, stored.encoding, storage.queues_by_name, self.host_encoding),
            _check("messages", standing, stored.messages, storage.fronts, now),
            _check("poison", poisoned, stored.poison, storage.poison, storage.activity),
            _check("parked users", "table links", stored.parked, storage.links, syncs),
            _check("holds", "table guards", stored.holds, storage.guards, syncs, now),
            _check("newcomers", "tables guards and links", stored.newcomers, self.runtime.creations, syncs),
        ]

    async def _app(self, app: AppOnTenant) -> list[Finding]:
        got = await token.Token.of(app)
        graph = _check("graph", f"GET {token.ONE_USER}", token.graph, app)
        # Graph is asked before the clock is checked: its answer has Graph's time, even when it is a refusal.
        answer = skipped("see token") if got.claims is None else await _found(graph)
        findings = [await _finding(app.subject, check) for check in self._token(app, got)]
        broken = _broken(findings)
        findings.append(_shown(app.subject, graph, skipped(f"see {broken}") if broken else answer))
        broken = _broken(findings)
        told = self._source if app.side is Side.SOURCE else self._target
        findings += [await _finding(app.subject, check) for check in told(app, usable=not broken)]
        for check in self._policies(app):
            found = skipped(f"see {broken}") if broken else await _found(check)
            findings.append(_shown(app.subject, check, found))
        return findings

    def _token(self, app: AppOnTenant, got: token.Token) -> list[Check]:
        issuer, now = f"https://{app.authority}/{app.tenant.id}, app {app.app_id}", self.runtime.clock.now()
        checks = [
            _check("token", issuer, token.issued, app, got),
            _check("tenant", "tid of the token", token.tenant, app, got),
            self._roles(app, got),
            _check("clock", "nbf and exp of the token, Date of Graph's answer", token.clock, app, got, now),
        ]
        return checks if got.claims is not None else checks[:1]

    def _roles(self, app: AppOnTenant, got: token.Token) -> Check:
        syncs = [sync for sync in self.runtime.config.syncs.values() if sync.source.key == app.tenant.key]
        read = {name for sync in syncs for name in source_attributes(sync.mapping) | scope_attributes(sync)}
        groups = self._reads_groups(app)
        return _check("roles", "roles of the token", token.roles, app, got, groups=groups, attributes=read)

    def _source(self, app: AppOnTenant, *, usable: bool) -> list[Check]:
        storage, now, key = self.runtime.storage, self.runtime.clock.now(), app.tenant.key
        look = subscription.live if usable else subscription.recorded
        checks = [
            _check("subscription", _KEPT, look, app, storage.subscriptions, now, self.public_url),
            _check("feed", "table feeds", stored.feed, storage.feeds, key, now, self.public_url),
        ]
        if self._reads_groups(app):
            groups = subscription.of_groups if usable else subscription.recorded
            checks += [
                _check("groups subscription", _KEPT, groups, app, storage.subscriptions, now, self.public_url, GROUPS),
                _check("groups feed", "table feeds", stored.feed, storage.feeds, key, now, self.public_url, GROUPS),
            ]
        return checks

    def _target(self, app: AppOnTenant, *, usable: bool) -> list[Check]:
        """The subscription of a tenant that is a source, too, is the source's."""
        config, storage, key = self.runtime.config, self.runtime.storage, app.tenant.key
        if key not in config.subscribed_targets or key in config.source_tenants:
            return []
        look = subscription.of_target if usable else subscription.recorded
        return [
            _check("subscription", _KEPT, look, app, storage.subscriptions, self.runtime.clock.now(), self.public_url)
        ]

    def _reads_groups(self, app: AppOnTenant) -> bool:
        sources = {sync.source.key for sync in self.runtime.config.syncs.values() if sync.groups}
        return app.side is Side.SOURCE and app.tenant.key in sources

    def _policies(self, app: AppOnTenant) -> list[Check]:
        between = [check for other in self._others(app) for check in policies.checks(app, other)]
        own = policies.invitation_check(app) if app.side is Side.TARGET else policies.domains_check(app)
        return [*between, own]

    def _others(self, app: AppOnTenant) -> list[Tenant]:
        """The tenants at the other end of this one's syncs."""
        ends = [(sync.source, sync.target) for sync in self.runtime.config.syncs.values()]
        if app.side is Side.TARGET:
            ends = [(target, source) for source, target in ends]
        return list({there.key: there for here, there in ends if here.key == app.tenant.key}.values())


def _broken(findings: Sequence[Finding]) -> str:
    """The check whose failure makes the token useless."""
    return next((each.check for each in findings if each.check in _USABLE and each.verdict is Verdict.FAILED), "")


def _check[**P](
    name: str, looked_at: str, look: Callable[P, Awaitable[Found]], *args: P.args, **more: P.kwargs
) -> Check:
    return Check(name=name, looked_at=looked_at, look=partial(look, *args, **more))


async def _finding(subject: str, check: Check) -> Finding:
    return _shown(subject, check, await _found(check))


def _shown(subject: str, check: Check, found: Found) -> Finding:
    return Finding(
        subject=subject or None,
        check=check.name,
        looked_at=check.looked_at,
        verdict=found.verdict,
        detail=found.detail,
        remedy=found.remedy,
    )


async def _found(check: Check) -> Found:
    """An error on the way is a finding too, and stops no other check."""
    try:
        return await check.look()
    except GraphRefusedError as error:
        if error.status == 403:
            return Found(verdict=Verdict.UNSEEN, detail="the app has no permission to look", remedy=check.by_hand)
        return failed(f"could not be checked: {error.code}", error.hint)
    except SyncError as error:
        return failed(f"could not be checked: {error}", error.hint)
    except Exception as error:  # noqa: BLE001 - one check must not hide the others; the text may quote anything
        return failed(f"could not be checked: {type(error).__name__}", "This is a fault of the program: report it.")
