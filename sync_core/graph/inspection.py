"""One app on one tenant, for the checks of `xtsync doctor`: its token, and the tenant settings that it may read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..model import Json
from ..model.errors import GraphRefusedError
from .client import GraphClient


class GraphInspection:
    """ports.TenantInspection."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client

    async def claims(self) -> Mapping[str, Json]:
        return await self._client.claims()

    async def get(self, template: str, **parameters: str) -> Mapping[str, Json] | None:
        try:
            return await self._client.get(template, parameters)
        except GraphRefusedError as error:
            if error.status == 404:
                return None
            raise

    @property
    def answered_at(self) -> datetime | None:
        return self._client.answered_at
