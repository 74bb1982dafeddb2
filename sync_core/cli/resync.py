"""`xtsync resync`: start the source tenants' feeds over, from the very beginning."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from ..assembly import Runtime
from ..ops.resync import Json, start
from .command import Commands, add_command
from .screen import warning
from .world import Exit, UsageError, World

_DESCRIPTION = """\
Starts a full round of each source tenant's feed; the function app reads it. A round in progress starts over.
Every user is read and compared, and only what differs is written. Deletions pass the guard as always.
Needed rarely: after a change of sync.yaml, or when Graph gives up a delta link, a full round starts by itself."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "resync",
        run,
        summary="read every user of the source tenants again",
        description=_DESCRIPTION,
        examples=("resync", "resync --tenant contoso --json"),
    )
    parser.add_argument("--tenant", metavar="NAME", help="only this source tenant, by its name in sync.yaml")


async def run(args: Namespace, world: World) -> int:
    async with world.runtime() as runtime:
        started = [await start(runtime, tenant) for tenant in _tenants(runtime, args.tenant)]
    if args.json:
        world.screen.json({"rounds": started})
    else:
        _show(world, started)
    return Exit.FAULT if any(each["error"] for each in started) else Exit.DONE


def _tenants(runtime: Runtime, wanted: str | None) -> list[str]:
    known = sorted(runtime.config.source_tenants)
    if wanted is not None and wanted not in known:
        raise UsageError(f"no sync reads a tenant named '{wanted}'", hint=f"Source tenants are: {', '.join(known)}.")
    return known if wanted is None else [wanted]


def _show(world: World, started: Sequence[Json]) -> None:
    screen = world.screen
    for each in started:
        if each["error"]:
            screen.line(warning(f"{each['tenant']}: not started: {each['error']}"))
            screen.line(f"  hint: {each['hint']}")
        else:
            screen.line(f"{each['tenant']}: a full round of the feed starts now")
    if any(each["round"] for each in started):
        screen.line("Every user is read; only what differs is written; deletions pass the guard.")
        screen.line("Follow it with: xtsync status")
