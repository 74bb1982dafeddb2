"""A bench for the doctor: both apps are inspected, and all is well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sync_core.assembly import Runtime
from sync_core.config.file import Config
from sync_core.config.settings import Settings
from sync_core.decision.look import Look
from sync_core.model import Json
from sync_core.ports import AppOnTenant, Side

from .cli import Bench


class Inspection:
    """A tenant in which all is well; Graph's side of it is the emulator's to play, in test_checkup."""

    answered_at = None

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant

    async def claims(self) -> Mapping[str, Json]:
        return {"tid": self.tenant}

    async def get(self, template: str, **parameters: str) -> Mapping[str, Json] | None:
        return {
            "allowInvitesFrom": "everyone",
            "automaticUserConsentSettings": {"inboundAllowed": True, "outboundAllowed": True},
            "expirationDateTime": "2026-01-06T09:00:00Z",
            "notificationUrl": "http://127.0.0.1:7071/api/graph/notifications",
        }


class Clinic(Bench):
    def build(self, settings: Settings, config: Config, *, read_only: bool, on_look: Callable[[Look], None]) -> Runtime:
        runtime = super().build(settings, config, read_only=read_only, on_look=on_look)
        apps = tuple(
            AppOnTenant(
                tenant=config.tenants[key],
                side=side,
                app_id=f"app-{side}",
                authority="login.microsoftonline.com",
                graph_url="https://graph.microsoft.com",
                inspection=Inspection(config.tenants[key].id),
                inventory=None,  # type: ignore[arg-type]
                silent_roles=True,
            )
            for key, side in (("contoso", Side.SOURCE), ("fabrikam", Side.TARGET))
        )
        return replace(runtime, apps=apps)
