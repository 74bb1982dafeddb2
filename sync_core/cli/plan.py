"""`xtsync plan`: what would happen to everybody if every user were looked at now; nothing is written anywhere."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..assembly import Runtime
from ..ops.looks import change_as_json
from ..ops.plan import Planned, Rehearsal
from .command import Commands, add_command
from .looks import change_text
from .screen import Cell, Screen, good, warning
from .words import many
from .world import Exit, UsageError, World

_DESCRIPTION = """\
Reads every user of the source tenants, as the first round of a feed does, and decides what would be done: whom to
invite, adopt, update, disable, restore or delete, and whom not and why. The deletion guard counts as it would count,
so the plan shows which deletions it would hold. Nothing is written anywhere, and no message is sent.
Exit code 0: nothing stands in the way. 1: somebody could not be decided on, or would be refused. 3: the guard would
hold a deletion."""

_MOST = 20
# What a person wants to see first: what takes somebody's access away.
_ORDER = ("SoftDelete", "Disable", "Hold", "Refuse", "error", "Adopt", "Restore", "Invite", "Update", "Forget")

type Json = dict[str, Any]


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "plan",
        run,
        summary="show what would happen to everybody, without doing it",
        description=_DESCRIPTION,
        examples=("plan", "plan --sync contoso-to-fabrikam --all", "plan --json"),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    parser.add_argument("--all", action="store_true", help=f"list every user; otherwise {_MOST} of each kind")


async def run(args: Namespace, world: World) -> int:
    async with world.runtime(read_only=True) as runtime:
        names = _wanted(runtime, args.sync)
        planned = await _rehearse(runtime, names, world.errors)
    plans = [_plan(name, [each for each in planned if each.sync == name]) for name in names]
    if args.json:
        world.screen.json({"syncs": plans})
    else:
        for plan in plans:
            _show(world.screen, plan, most=None if args.all else _MOST)
    kinds = {user["change"] for plan in plans for user in plan["users"]}
    if kinds & {"Refuse", "error"}:
        return Exit.FAULT
    return Exit.APPROVAL if "Hold" in kinds else Exit.DONE


def _wanted(runtime: Runtime, sync: str | None) -> list[str]:
    known = sorted(runtime.config.syncs)
    if sync is not None and sync not in known:
        raise UsageError(f"no sync is named '{sync}'", hint=f"Syncs are: {', '.join(known)}.")
    return known if sync is None else [sync]


async def _rehearse(runtime: Runtime, names: Sequence[str], errors: Screen) -> list[Planned]:
    rehearsal, planned = Rehearsal.of(runtime), []
    for tenant in sorted({runtime.config.syncs[name].source.key for name in names}):
        with errors.progress(f"reading {tenant}") as read:
            nominees = [each for each in await rehearsal.nominees(tenant, read) if each.sync in names]
        with errors.progress(f"deciding on {many(len(nominees), 'user')}", len(nominees)) as decided:
            async for each in rehearsal.decide(nominees):
                planned.append(each)
                decided(len(planned))
    return planned


def _plan(sync: str, planned: Sequence[Planned]) -> Json:
    users = [user for user in map(_user, planned) if user["change"] != "Skip"]
    users.sort(key=lambda user: (_ORDER.index(user["change"]), user["user"]))
    return {"sync": sync, "counts": dict(Counter(map(_kind, users))), "users": users}


def _user(planned: Planned) -> Json:
    if planned.look is None:
        error = planned.error
        return {"user": planned.user, "change": "error", "reason": str(error), "hint": error.hint if error else None}
    return {"user": planned.user, "target_id": planned.look.link.target_id, **change_as_json(planned.look.change)}


def _kind(user: Json) -> str:
    """What is counted together: a change, or a refusal for one reason."""
    if user["change"] == "Hold":
        return f"Hold of {user['held']['change']}"
    return f"{user['change']}: {user['reason']}" if user["change"] in {"Refuse", "error"} else str(user["change"])


def _show(screen: Screen, plan: Json, *, most: int | None) -> None:
    screen.heading(plan["sync"])
    if not plan["users"]:
        screen.line(good("  nothing to do"))
    else:
        screen.table(("what would happen", "users"), [(_cell(kind), str(n)) for kind, n in plan["counts"].items()])
    for kind in plan["counts"]:
        users = [user for user in plan["users"] if _kind(user) == kind]
        for user in users[:most]:
            screen.line(f"  {user['user']}  {_words(user)}")
        if most is not None and len(users) > most:
            screen.line(f"  and {len(users) - most} more: {kind} (--all lists them)")
        if users[0].get("hint"):
            screen.line(f"  hint: {users[0]['hint']}")
    screen.line()


def _cell(kind: str) -> Cell:
    return warning(kind) if kind.startswith(("SoftDelete", "Disable", "Hold", "Refuse", "error")) else kind


def _words(user: Json) -> str:
    return f"error: {user['reason']}" if user["change"] == "error" else change_text(user)
