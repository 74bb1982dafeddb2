"""`emulator`: the cost of the Graph emulator itself, to tell it from the cost of the product in other scenarios.

Requests are made in process, without a socket or a client library, one after another. Memory is that of a process that
does nothing else. Times are CPU time, which other programs on the machine hardly change.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

from entra_graph_emulator import Emulator, ManualClock, Request, Tenant

from .figures import Figure
from .run import Run

_TENANT = "11111111-1111-1111-1111-111111111111"
_USERS, _QUICK = 100_000, 10_000
_LARGEST_MB = 600.0


async def measure(run: Run) -> list[Figure]:
    """The scenario of `python -m bench`, measured in a child process."""
    with run.step(f"{_QUICK if run.quick else _USERS:,} users in one tenant", 3):
        return await asyncio.to_thread(_apart, quick=run.quick)


def run(quick: bool) -> list[Figure]:
    """Seed and measure one tenant in this process."""
    return asyncio.run(_Bench(_QUICK if quick else _USERS).figures())


class _Bench:
    def __init__(self, users: int) -> None:
        self.users = users
        self.emulator = Emulator(clock=ManualClock(), rng=Random(1))
        self.emulator.throttle.set(replace(self.emulator.throttle.default, enabled=False))
        self.headers = {
            "authorization": f"Bearer {self.emulator.token(_TENANT)}",
            "content-type": "application/json",
        }

    async def figures(self) -> list[Figure]:
        began = time.process_time()
        tenant = self.emulator.create_tenant(_TENANT, display_name="Contoso", domain="contoso.com", users=self.users)
        seeded = time.process_time() - began
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
        limit = _LARGEST_MB * self.users / _USERS + 100
        return [
            Figure(name=f"seed {self.users:,} users with managers", value=seeded, unit="s"),
            Figure(name="resident memory after it", value=memory, unit="MB", limit=min(limit, _LARGEST_MB)),
            Figure(name="a complete delta round", value=await self._round(), unit="s", beside="pages of 200"),
            *await self._medians(tenant),
            await self._writes(tenant),
        ]

    async def _round(self) -> float:
        began, target, seen = time.process_time(), "/v1.0/users/delta", 0
        while target:
            body = (await self._send("GET", target))[1]
            seen += len(body["value"])
            target = body.get("@odata.nextLink", "").removeprefix("https://graph.microsoft.com")
        if seen != self.users:
            raise AssertionError(f"{seen} of {self.users} users")
        return time.process_time() - began

    async def _medians(self, tenant: Tenant) -> list[Figure]:
        some = [user.id for user in tenant.users()[:: self.users // 500]]
        user = tenant.user(some[len(some) // 2])
        mail = user.properties["mail"]
        page = (await self._send("GET", "/v1.0/users/delta"))[1]["@odata.nextLink"]
        page = page.removeprefix("https://graph.microsoft.com")
        calls = {
            "get a user": [("GET", f"/v1.0/users/{each}") for each in some],
            "PATCH a user": [("PATCH", f"/v1.0/users/{each}") for each in some],
            "find a user by address": [("GET", f"/v1.0/users?$filter=mail eq '{mail}'")] * 200,
            "a delta page of 200 users": [("GET", page)] * 100,
            "a list page of 100 users": [("GET", "/v1.0/users")] * 100,
        }
        return [await self._median(name, requests) for name, requests in calls.items()]

    async def _median(self, name: str, requests: list[tuple[str, str]]) -> Figure:
        spent = []
        for number, (method, target) in enumerate(requests):
            began = time.process_time()
            await self._send(method, target, {"jobTitle": f"Title {number}"} if method == "PATCH" else None)
            spent.append(time.process_time() - began)
        return Figure(name=f"{name}, median", value=1000 * statistics.median(spent), unit="ms")

    async def _writes(self, tenant: Tenant) -> Figure:
        ids = [user.id for user in tenant.users()[:5000]]
        began = time.process_time()
        for number, user_id in enumerate(ids):
            await self._send("PATCH", f"/v1.0/users/{user_id}", {"department": f"D{number}"})
        rate = len(ids) / (time.process_time() - began)
        return Figure(
            name="PATCH throughput, one after another", value=rate, unit="1/s", beside="Graph allows 20 a second"
        )

    async def _send(self, method: str, target: str, body: object = None) -> tuple[int, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        request = Request.of(method, target, headers=self.headers, body=content)
        answer = await self.emulator.handle(request)
        if answer.status >= 400:
            raise AssertionError(answer.body)
        # Parsing is the client's cost and not the emulator's. A delta page is parsed only for its next link.
        return answer.status, answer.json() if answer.body and "delta" in target else {}


def _apart(*, quick: bool) -> list[Figure]:
    command = [sys.executable, "-m", "bench.emulator", "--json", *(["--quick"] if quick else [])]
    done = subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[1])
    return [Figure(**each) for each in json.loads(done.stdout)]


def main() -> int:
    found = run("--quick" in sys.argv)
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps([asdict(each) for each in found]))
    else:
        for each in found:
            sys.stdout.write(f"{each.name:44}{each.value:>12,.3f} {each.unit}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
