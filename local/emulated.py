"""A client of the Graph emulator for stories, tests and benchmarks, with an administrator's rights in every tenant.

Changes go through Graph's own calls; `/_emulator` is used only if Graph has no such call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from local.loopback import loopback

type User = dict[str, Any]

_PARTNERS = "/policies/crossTenantAccessPolicy/partners"


class Emulated:
    def __init__(self, base_url: str) -> None:
        self._http = loopback(timeout=60, base_url=base_url)
        self._tokens: dict[tuple[str, str], str] = {}

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """One `/_emulator` call; raises httpx.HTTPStatusError."""
        response = await self._http.request(method, f"/_emulator{path}", json=body)
        response.raise_for_status()
        return response.json() if response.content else None

    async def graph(self, tenant: str, method: str, path: str, body: Any = None, *, app: str = "administrator") -> Any:
        """One Graph call as an administrator of a tenant (by id), or as another app; None for a 404."""
        headers = {"Authorization": f"Bearer {await self._token(tenant, app)}"}
        response = await self._http.request(method, f"/v1.0{path}", json=body, headers=headers)
        if response.status_code == 404:
            return None
        response.raise_for_status()
        return response.json() if response.content else None

    async def users(self, tenant: str, select: Sequence[str]) -> list[User]:
        """Every user of a tenant; with `manager` selected, each with the id of theirs."""
        plain = [name for name in select if name != "manager"]
        expanded = "&$expand=manager($select=id)" if "manager" in select else ""
        found = await self._listed(tenant, f"/users?$top=999&$select={','.join(plain)}{expanded}")
        if expanded:
            found = [{**user, "manager": (user.get("manager") or {}).get("id")} for user in found]
        return found

    async def _listed(self, tenant: str, path: str) -> list[User]:
        found: list[User] = []
        while path:
            page = await self.graph(tenant, "GET", path)
            found += page["value"]
            path = page.get("@odata.nextLink", "").partition("/v1.0")[2]
        return found

    async def two_tenants(self, source: str, target: str, *, people: int, seed: int = 1) -> None:
        """Make Contoso with its people and an empty Fabrikam, which agree on automatic redemption."""
        await self.tenant(source, "contoso", people=people, seed=seed)
        await self.tenant(target, "fabrikam", people=0, seed=seed)

    async def tenant(self, tenant_id: str, name: str, *, people: int, seed: int = 1) -> None:
        """Make a tenant with generated people, which agrees to automatic redemption with every other so far."""
        body = {"id": tenant_id, "displayName": name.title(), "domain": f"{name}.example", "users": people}
        await self.control("POST", "/tenants", {**body, "seed": seed})
        agreed = {"automaticUserConsentSettings": {"inboundAllowed": True, "outboundAllowed": True}}
        for other in await self._tenants():
            if other["id"] == tenant_id:
                continue
            for here, there in ((tenant_id, other["id"]), (other["id"], tenant_id)):
                if await self.graph(here, "GET", f"{_PARTNERS}/{there}") is None:  # not as it was kept
                    await self.graph(here, "POST", _PARTNERS, {"tenantId": there, **agreed})

    async def count(self, tenant: str, what: str) -> int:
        """`users`, `guests`, `deletedItems` ... as `GET /_emulator/tenants` counts them."""
        return int(next(each for each in await self._tenants() if each["id"] == tenant)[what])

    async def _tenants(self) -> list[dict[str, Any]]:
        listing = await self.control("GET", "/tenants")
        return list(listing["value"] if isinstance(listing, dict) else listing)

    async def close(self) -> None:
        await self._http.aclose()

    async def _token(self, tenant: str, app: str) -> str:
        if (tenant, app) not in self._tokens:
            form = {"grant_type": "client_credentials", "client_id": app, "client_secret": "-"}
            response = await self._http.post(f"/{tenant}/oauth2/v2.0/token", data=form)
            response.raise_for_status()
            self._tokens[tenant, app] = response.json()["access_token"]
        return self._tokens[tenant, app]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


async def until(condition: Any, *, timeout_s: float, every_s: float = 0.05) -> bool:
    """Poll an async condition; False when the time is up. The pauses grow, since asking takes time from the work."""
    try:
        async with asyncio.timeout(timeout_s):
            pause = every_s
            while not await condition():
                await asyncio.sleep(pause)
                pause = min(1.5 * pause, 8 * every_s)
    except TimeoutError:
        return False
    return True
