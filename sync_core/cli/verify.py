"""`xtsync verify`: whether the newcomers of the last days can be used."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from ..assembly import Runtime
from ..ops.documents import Unusable, UnusableUser, Verified
from ..ops.names import find_syncs
from ..ops.people import Pair, names
from ..ops.times import moment
from ..ops.verify import merged, verify
from ..ops.words import at_second, many
from .command import Commands, Reach, add_command, add_no_names
from .screen import Screen, good, warning
from .world import Exit, World

if TYPE_CHECKING:
    from .app import App

_DESCRIPTION = """\
Run it after a first sync, and whenever many newcomers came. Of everybody whose pair began since then the target is
asked, fifteen users in each request: is the user there, external, and enabled? Is the invitation accepted, or would it
be without a prompt, since both tenants redeem automatically? Do address lists show the user?
Those who cannot be used are shown by cause with the remedy. Users whom the sync itself disabled are left out, and those
of the last 15 minutes, whom the target may not show everywhere yet. Nothing is written anywhere.
Exit code 0: everybody can be used, as far as the app may see. 1: somebody cannot."""
_PAGE = 1000
_MOST = 20
_HEADERS = ("sync", "source user", "target user", "cause", "since")

type _Page = Callable[[str], Awaitable[Verified]]


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "verify",
        run,
        reach=Reach.APP,
        summary="check that newcomers can be used",
        description=_DESCRIPTION,
        examples=("verify", "verify --sync contoso-to-fabrikam --since 24h", "verify --csv"),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    parser.add_argument("--since", metavar="WHEN", default="7d", help="30m, 24h, 7d, or a date (default: 7d)")
    parser.add_argument("--all", action="store_true", help=f"list everybody; otherwise {_MOST} of each cause")
    parser.add_argument(
        "--csv", action="store_true", help="print CSV that a spreadsheet opens without running formulas"
    )
    add_no_names(parser)


async def run(args: Namespace, world: World) -> int:
    most = None if args.all else _MOST

    async def here(runtime: Runtime) -> tuple[Verified, Mapping[Pair, str]]:
        syncs, since = find_syncs(runtime.config, args.sync), moment(args.since, runtime.clock.now())
        found = await _all(world, lambda after: verify(runtime, syncs, since, limit=_PAGE, after=after))
        return found, await names(runtime, _named(args, found, most))

    async def there(app: App) -> tuple[Verified, Mapping[Pair, str]]:
        async def page(after: str) -> Verified:
            query = {"sync": args.sync, "since": args.since, "limit": _PAGE, "after": after or None}
            return await app.ask("verify", Verified, query=query)

        found = await _all(world, page)
        return found, await app.names(_named(args, found, most))

    found, named = await world.ask(args, here, there, read_only=True)
    show = _csv if args.csv else partial(_show, most=most, named=named)
    world.answer(found, show, json=args.json)
    return Exit.FAULT if any(user.cause is not Unusable.UNKNOWN for user in found.users) else Exit.DONE


async def _all(world: World, page: _Page) -> Verified:
    """Every page, as one document."""
    with world.errors.progress("asking the targets") as done:
        pages = [await page("")]
        while pages[-1].more is not None:
            done(sum(each.looked_at for each in pages))
            pages.append(await page(pages[-1].more))
    return merged(pages)


def _named(args: Namespace, found: Verified, most: int | None) -> list[Pair]:
    """Those whose names are shown."""
    if args.json or args.csv or args.no_names:
        return []
    return list(dict.fromkeys(_pair(user) for cause in found.causes for user in _of(found, cause.cause)[:most]))


def _of(found: Verified, cause: Unusable) -> list[UnusableUser]:
    return [user for user in found.users if user.cause is cause]


def _show(screen: Screen, found: Verified, *, most: int | None, named: Mapping[Pair, str]) -> None:
    usable = f"{found.usable} known to be usable"
    screen.line(f"{many(found.looked_at, 'newcomer')} since {at_second(found.since)}, {usable}.")
    if not found.users:
        screen.line(good("Nothing stands in anybody's way."))
    for cause in found.causes:
        title, users = f"{cause.words}: {many(cause.people, 'user')}", _of(found, cause.cause)
        screen.line()
        screen.line(title if cause.cause is Unusable.UNKNOWN else warning(title))
        screen.line(f"  hint: {cause.remedy}")
        for user in users[:most]:
            ids = (user.sync, user.source_id, named.get(_pair(user), ""), f"-> {user.target_id}")
            screen.line("  " + "  ".join(filter(None, ids)))
        if most is not None and len(users) > most:
            screen.line(f"  and {len(users) - most} more (--all lists them)")


def _csv(screen: Screen, found: Verified) -> None:
    screen.csv(_HEADERS)
    for user in found.users:
        screen.csv((user.sync, user.source_id, user.target_id, user.cause, user.since))


def _pair(user: UnusableUser) -> Pair:
    return Pair(sync=user.sync, source_id=user.source_id, target_id=user.target_id)
