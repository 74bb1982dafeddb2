"""`xtsync sync USER`: reconcile one user now, by the same way as a message from the queue; or only show what would be.

A live run leaves a nomination on the queue first: should this computer die between a write and its record, the
function app looks at the user again within minutes. When all went well, that message finds a newer read and is dropped.
"""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from ..assembly import Runtime
from ..decision.look import Look
from ..model import Link, Nomination, Outcome, Reason, Sync, Why
from ..model.errors import AccessNotTakenError, SyncError
from ..ops.looks import change_as_json, failed, look_as_json, preview
from ..ops.times import iso, seconds_between
from .command import Commands, add_command
from .find import find_user
from .sync_view import show
from .world import Exit, World

_DESCRIPTION = """\
Reads the user from the source tenant, decides and writes at once, and shows each step. The way is the one that
messages take: locks, guard, parking and activity are the same. A dry run decides, and writes nothing anywhere.
Exit code 0: done, or nothing to do. 1: refused or failed. 3: a person has to decide (xtsync holds, xtsync adopt)."""
_USER = "6b1d4c62-4c0f-4a55-9a53-0c4d1a3b7e11"

_LOOK_AGAIN_S = 300.0

type Json = dict[str, Any]


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "sync",
        run,
        summary="reconcile one user now",
        description=_DESCRIPTION,
        examples=(
            "sync adele@contoso.example --dry-run",
            f"sync {_USER} --sync contoso-to-fabrikam --json",
        ),
    )
    parser.add_argument("user", metavar="USER", help="object id or user principal name in the source tenant")
    parser.add_argument("--sync", metavar="NAME", help="default: every sync whose source tenant knows the user")
    parser.add_argument("--dry-run", action="store_true", help="decide and show; write nothing anywhere")
    parser.add_argument("--show-values", action="store_true", help="print attribute values: personal data")


async def run(args: Namespace, world: World) -> int:
    looks: list[Look] = []
    results: list[Json] = []
    async with world.runtime(read_only=args.dry_run, on_look=looks.append) as runtime:
        for sync, user in await find_user(runtime, args.user, args.sync):
            looks.clear()
            if args.dry_run:
                result = await preview(runtime, sync, user, values=args.show_values)
            else:
                result = await _live(runtime, sync, user, looks, values=args.show_values)
            results.append(result)
            if not args.json:
                show(world.screen, result)
    if args.json:
        world.screen.json({"results": results})
    return _exit_code([_code(result["outcome"]) for result in results])


async def _live(runtime: Runtime, sync: Sync, user: str, looks: list[Look], *, values: bool) -> Json:
    started = runtime.clock.now()
    outcome = await _reconcile(runtime, sync, user, looks)
    return {
        "sync": sync.name,
        "user": user,
        "dry_run": False,
        "steps": [look_as_json(each, values=values) for each in looks],
        "outcome": outcome,
        "seconds": seconds_between(started, runtime.clock.now()),
    }


async def _reconcile(runtime: Runtime, sync: Sync, user: str, looks: list[Look]) -> Json:
    nomination = Nomination(sync=sync.name, user=user, why=Why.OPERATOR, at=runtime.clock.now())
    try:
        await runtime.storage.queues.nominate([nomination], delay=_LOOK_AGAIN_S)
        outcome = await runtime.worker.handle(nomination)
        link = await runtime.storage.links.get(sync.name, user)
    except SyncError as error:
        return failed(error)
    return _outcome(outcome, link, looks)


def _outcome(outcome: Outcome | None, link: Link | None, looks: list[Look]) -> Json:
    """In the worker's words: parked and retried users are errors, a hold is not."""
    changes = [change_as_json(change) for change in outcome.changes] if outcome else []
    error = outcome.error if outcome else ""
    parked_until = link.parked.until if link and link.parked and error else None
    last = change_as_json(looks[-1].change) if looks else {}
    if error:
        result = "parked" if parked_until else "retry"
    elif changes and changes[-1]["change"] == "Hold":
        result = "held"
    else:
        result = "done" if changes else "nothing"
    return {
        "result": result,
        "changes": changes,
        "target_id": link.target_id if link else None,
        "error": error or None,
        "hint": _hint(error, last),
        "next_try_at": iso(parked_until),
    }


def _hint(error: str, last: Json) -> str | None:
    if error.startswith(AccessNotTakenError.REASON):
        return AccessNotTakenError.hint
    return last.get("hint") if not error or last.get("reason") == error else None


def _code(outcome: Json) -> Exit:
    if outcome["result"] == "held" or outcome["error"] == Reason.NEEDS_APPROVAL:
        return Exit.APPROVAL
    return Exit.FAULT if outcome["result"] in {"parked", "retry", "failed", "refused"} else Exit.DONE


def _exit_code(codes: list[Exit]) -> Exit:
    return next((code for code in (Exit.FAULT, Exit.APPROVAL) if code in codes), Exit.DONE)
