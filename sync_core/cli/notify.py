"""`xtsync notify`: who is told of what stands in the way, and a message to try that out."""

from __future__ import annotations

from argparse import Namespace

from ..ops.documents import Notices, TriedReceivers
from ..ops.errors import RefusedError
from ..ops.notices import list_notices, try_receivers
from .command import Commands, Reach, add_command, no_endpoint
from .screen import Screen, good, warning
from .world import Exit, World

_DESCRIPTION = """\
Receivers stand in sync.yaml under `notify`: a Teams workflow, or a webhook that is signed. Each is told once when
something begins to stand in the way, and once when it is over. No message names a user. Addresses and secrets are app
settings: --test needs them here, too."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "notify",
        run,
        reach=Reach.APP,
        summary="who is told of what stands in the way",
        description=_DESCRIPTION,
        examples=("notify", "notify --test"),
    )
    parser.add_argument("--test", action="store_true", help="send a message to each receiver now")


async def run(args: Namespace, world: World) -> int:
    if not args.test:
        notices = await world.ask(args, list_notices, lambda app: app.ask("notices", Notices))
        _check(bool(notices.receivers))
        world.answer(notices, _show, json=args.json)
        return Exit.DONE
    if world.url(args):
        raise no_endpoint("a message to try it out has no endpoint")
    async with world.runtime() as runtime:
        _check(bool(runtime.config.receivers))
        tried = await try_receivers(runtime)
    world.answer(tried, _show_tried, json=args.json)
    return Exit.FAULT if any(each.error for each in tried.receivers) else Exit.DONE


def _check(anybody: bool) -> None:
    if not anybody:
        raise RefusedError("nobody is told of anything", hint="Name a receiver in sync.yaml under notify.")


def _show(screen: Screen, notices: Notices) -> None:
    for receiver in notices.receivers:
        screen.line(f"{receiver.receiver} ({receiver.kind}): {', '.join(receiver.syncs) or 'every sync'}")
        screen.line(f"  {', '.join(receiver.events)}")
    for each in notices.standing:
        told = "told" if each.told else "not told yet"
        since = f"{each.since:%Y-%m-%d %H:%M}"
        screen.line(warning(f"{each.about}: {each.event.words} since {since}; {told} to {each.receiver}"))
    if not notices.standing:
        screen.line(good("nothing stands in the way"))


def _show_tried(screen: Screen, tried: TriedReceivers) -> None:
    for each in tried.receivers:
        if each.error is None:
            screen.line(good(f"{each.receiver}: it took the message"))
        else:
            screen.line(warning(f"{each.receiver}: {each.error}"))
