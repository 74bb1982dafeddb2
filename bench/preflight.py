"""`preflight`: how long `xtsync preflight` takes of a target of 100,000 users, how many requests, and how much memory.

The command runs in a process of its own, with storage in memory, against the Graph emulator over HTTP. The emulator
answers a page of 999 users in some 50 ms; Graph needs several times that, which is by far the most of the time there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random

from entra_graph_emulator import Emulator, Tenant
from entra_graph_emulator.server import listening
from entra_graph_emulator.wire.clock import WallClock
from local.demo import CONTOSO, FABRIKAM
from local.stack import ROOT
from sync_core.config.file import load_config
from sync_core.config.settings import load_settings
from sync_core.deployment import SystemClock, build
from sync_core.ops.documents import Cause
from sync_core.ops.preflight.run import preflight
from sync_core.storage.repositories import memory_storage

from .figures import Figure
from .run import Run, StalledError

_EMPLOYEES, _STRANGERS, _MATCHES = 60_000, 35_000, 5_000  # of the target: internal, guests of others, of the source
_PEOPLE = 50_000  # of the source


async def measure(run: Run) -> list[Figure]:
    emulator = Emulator(clock=WallClock(), rng=Random(1))
    matches, users = run.size(_MATCHES), run.size(_EMPLOYEES + _STRANGERS + _MATCHES)
    with run.step(f"a target of {users:,} users", 1):
        source = emulator.create_tenant(CONTOSO, display_name="Contoso", domain="contoso.com", users=run.size(_PEOPLE))
        target = emulator.create_tenant(FABRIKAM, display_name="Fabrikam", domain="fabrikam.com")
        emulator.add_people(target, run.size(_EMPLOYEES))
        _guests(target, [f"guest{n}@partner.com" for n in range(run.size(_STRANGERS))])
        enabled = [each.properties["mail"] for each in source.users() if each.properties["accountEnabled"]]
        _guests(target, enabled[:matches])
    async with listening(emulator, "127.0.0.1", 0, None) as port:
        with run.step("preflight", 1):
            found = await _apart(f"http://127.0.0.1:{port}")
    requests = [each for each in emulator.log.report()["items"] if each["kind"] != "token"]
    pages = -(-users // 999) + -(-run.size(_PEOPLE) // 999)
    return [
        Figure(name=f"preflight of {users:,} target users", value=found["seconds"], unit="s", limit=run.limit(60)),
        Figure(name="of that the CPU of the command", value=found["cpu"], unit="s", beside="the emulator is the rest"),
        Figure(name="requests", value=len(requests), unit="", limit=pages + 6, beside=f"{pages} pages of 999 users"),
        Figure(name="requests but GET", value=sum(each["method"] != "GET" for each in requests), unit="", limit=0),
        Figure(name="peak memory", value=found["memory"], unit="MB", limit=run.limit(300)),
        Figure(name="of that before it began", value=found["before"], unit="MB", beside="libraries"),
        Figure(name="matches missed", value=abs(found["matches"] - matches), unit="", limit=0, beside=f"{matches:,}"),
        Figure(name="others named", value=found["others"], unit="", limit=0),
    ]


def _guests(target: Tenant, addresses: list[str]) -> None:
    for address in addresses:
        target.create(
            {
                "accountEnabled": True,
                "creationType": "Invitation",
                "displayName": address.partition("@")[0],
                "externalUserState": "Accepted",
                "mail": address,
                "otherMails": [address],
                "userPrincipalName": f"{address.replace('@', '_')}#EXT#@fabrikam.com",
                "userType": "Guest",
            }
        )


async def _apart(url: str) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.preflight", url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode != 0:
        raise StalledError("the preflight failed")
    found: dict[str, float] = json.loads(out)
    return found


@contextmanager
def _silent(_title: str, _total: int | None) -> Iterator[Callable[[int], None]]:
    yield lambda _: None


async def _examine(url: str) -> Mapping[str, float]:
    settings = load_settings(
        {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "XTSYNC_CREDENTIAL": "emulator", "XTSYNC_GRAPH_URL": url}
    )
    config, clock = load_config(ROOT / "bench" / "sync.yaml"), SystemClock()
    runtime = build(settings, config, clock=clock, storage=memory_storage(clock), read_only=True)
    before, began, busy = _peak(), time.monotonic(), time.process_time()
    try:
        examined = await preflight(runtime, config.syncs.values(), _silent)
    finally:
        await runtime.close()
    [target] = examined.document.targets
    people = {each.cause: each.people for each in target.causes}
    matches = people.pop(Cause.UNADOPTED, 0)
    seconds, cpu = time.monotonic() - began, time.process_time() - busy
    found = {"seconds": seconds, "cpu": cpu, "memory": _peak(), "before": before}
    return {**found, "matches": matches, "others": sum(people.values())}


def _peak() -> float:
    """Of resident memory, in MB. getrusage begins with that of the process before exec, so it is no measure here."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else ["VmHWM: 0 kB"]
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.preflight")
    parser.add_argument("url", help="where the emulator listens")
    sys.stdout.write(json.dumps(asyncio.run(_examine(parser.parse_args().url))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
