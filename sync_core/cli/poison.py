"""`xtsync poison`: messages that no function could handle, and what becomes of them."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from functools import partial

from ..ops.documents import PoisonedMessages, PoisonFate, SettledPoison
from ..ops.poison import list_poison, settle
from ..ops.words import ago, many
from .command import Commands, add_by, add_command, operator
from .screen import Screen, warning
from .world import Exit, World

_MESSAGE = "5c3c2c9e-52a5-4d9c-9d3a-1b0f6f2f7c11"  # of examples
_MOST_SHOWN = 300  # characters of a body; --json has all
_DESCRIPTION = """\
Lists the messages that failed five times, which every poll keeps in the table `activity`, and those on a poison queue
that no function can read: the host delivers only base64 of UTF-8. `put-back` sends a body to its queue once more,
encoded as the host wants it; a body that is none of ours is refused. `remove` deletes a message for good."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "poison",
        _list,
        summary="list, put back or remove messages that failed again and again",
        description=_DESCRIPTION,
        examples=("poison", f"poison put-back {_MESSAGE}", f"poison remove {_MESSAGE} --yes"),
    )
    actions = parser.add_subparsers(metavar="ACTION", title="actions")
    add_command(actions, "list", _list, summary="list them (the default)", examples=("poison list",), nested=True)
    for name, summary, fate in (
        ("put-back", "send messages to their queues again", PoisonFate.PUT_BACK),
        ("remove", "delete messages for good", PoisonFate.REMOVED),
    ):
        action = add_command(
            actions, name, _settle, summary=summary, examples=(f"poison {name} {_MESSAGE}",), nested=True
        )
        action.set_defaults(fate=fate)
        add_by(action)
        action.add_argument("ids", nargs="+", metavar="ID", help="as `xtsync poison` lists it")
        if fate is PoisonFate.REMOVED:
            action.add_argument("--yes", action="store_true", help="do not ask for confirmation")


async def _list(args: Namespace, world: World) -> int:
    async with world.runtime() as runtime:
        found, now = await list_poison(runtime), runtime.clock.now()
    world.answer(found, partial(_show, now=now), json=args.json)
    return Exit.DONE


async def _settle(args: Namespace, world: World) -> int:
    async with world.runtime() as runtime:
        if args.fate is PoisonFate.REMOVED and not args.yes:
            world.confirm(f"Remove {many(len(args.ids), 'message')} for good?")
        settled = await settle(runtime, args.ids, args.fate, by=operator(args))
    world.answer(settled, _show_settled, json=args.json)
    return Exit.DONE


def _show(screen: Screen, found: PoisonedMessages, *, now: datetime) -> None:
    if not found.messages:
        screen.line("No message was set aside.")
        return
    rows = [
        (
            each.id,
            each.queue,
            f"kept {ago(each.kept_at, now)}" if each.kept_at else "on the poison queue",
            "" if each.readable else warning("UNREADABLE"),
            ascii(each.body)[1:-1][:_MOST_SHOWN],  # a foreign body may hold anything, also orders to a terminal
        )
        for each in found.messages
    ]
    screen.table(("id", "queue", "where", "", "body"), rows)
    screen.line()
    screen.line("A fault was mended, or a body is one of ours: xtsync poison put-back ID")
    screen.line("Nobody needs it any more: xtsync poison remove ID")


def _show_settled(screen: Screen, settled: SettledPoison) -> None:
    screen.line(f"{many(len(settled.ids), 'message')} {settled.fate}")
