"""`xtsync sync USER`: reconcile one user now, or only show what would be done."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from ..decision.look import Look
from ..model import Reason
from ..ops import documents
from ..ops.documents import Result
from ..ops.looks import preview
from ..ops.names import find_user
from ..ops.sync import sync_now
from .command import USER, Commands, Reach, add_command, no_endpoint
from .sync_view import show
from .world import Exit, World

_DESCRIPTION = """\
Reads the user from the source tenant, decides and writes at once, and shows each step. The way is the one that
messages take: locks, guard, parking and activity are the same. A dry run decides, and writes nothing anywhere.
Exit code 0: done, or nothing to do. 1: refused or failed. 3: a person has to decide (xtsync holds, xtsync adopt)."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "sync",
        run,
        reach=Reach.APP,
        summary="reconcile one user now",
        description=_DESCRIPTION,
        examples=(
            "sync adele@contoso.example --dry-run",
            f"sync {USER} --sync contoso-to-fabrikam --json",
        ),
    )
    parser.add_argument("user", metavar="USER", help="object id or user principal name in the source tenant")
    parser.add_argument("--sync", metavar="NAME", help="default: every sync whose source tenant knows the user")
    parser.add_argument("--dry-run", action="store_true", help="decide and show; write nothing anywhere")
    parser.add_argument("--show-values", action="store_true", help="print attribute values: personal data")


async def run(args: Namespace, world: World) -> int:
    if world.url(args):
        return await _there(args, world)
    looks: list[Look] = []
    results: list[documents.SyncResult] = []
    async with world.runtime(read_only=args.dry_run, on_look=looks.append) as runtime:
        for sync, user in await find_user(runtime, args.user, args.sync):
            looks.clear()
            if args.dry_run:
                result = await preview(runtime, sync, user, values=args.show_values)
            else:
                result = await sync_now(runtime, sync, user, looks, values=args.show_values)
            results.append(result)
            if not args.json:
                show(world.screen, result)
    if args.json:
        world.screen.json(documents.SyncResults(results=results))
    return _exit_code(results)


async def _there(args: Namespace, world: World) -> int:
    if not args.dry_run:
        raise no_endpoint("an app reconciles users by itself: with --url only --dry-run is there")
    if args.show_values:
        raise no_endpoint("an app shows no values")
    results: list[documents.SyncResult] = []
    async with world.app(args) as app:
        for each in await app.find(args.user, args.sync):
            results.append(await app.ask("look", documents.SyncResult, sync=each.sync, user=each.user))
            if not args.json:
                show(world.screen, results[-1])
    if args.json:
        world.screen.json(documents.SyncResults(results=results))
    return _exit_code(results)


def _exit_code(results: Sequence[documents.SyncResult]) -> Exit:
    codes = {_code(result) for result in results}
    return next((code for code in (Exit.FAULT, Exit.APPROVAL) if code in codes), Exit.DONE)


def _code(result: documents.SyncResult) -> Exit:
    decision = result.steps[-1].decision if result.steps else None
    match result.outcome.result:
        case Result.DONE | Result.NOTHING | Result.WOULD | Result.POSTPONED:
            return Exit.DONE
        case Result.HELD:
            return Exit.APPROVAL
    if isinstance(decision, documents.Refuse) and decision.reason is Reason.NEEDS_APPROVAL:
        return Exit.APPROVAL
    return Exit.FAULT
