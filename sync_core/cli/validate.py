"""`xtsync validate`: sync.yaml and, if asked, the app settings; every fault with its line, and nothing is contacted."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from ..config.file import Config, load_config
from ..model import Mode, Sync
from ..model.errors import ConfigError, Fault
from ..ops.documents import Validation
from ..ops.words import many
from .command import Commands, Reach, add_command
from .screen import good, warning
from .world import Exit, World

_DESCRIPTION = """\
Lists every fault with its line and what to do about it, and contacts nobody. Warnings
are about what works and may not do what you think.
Exit code 0: valid. 2: there are faults."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "validate",
        run,
        reach=Reach.FILES,
        summary="check sync.yaml",
        description=_DESCRIPTION,
        examples=("validate", "validate sync.yaml --settings"),
    )
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: XTSYNC_CONFIG, else sync.yaml")
    parser.add_argument("--settings", action="store_true", help="check the app settings as well")


async def run(args: Namespace, world: World) -> int:
    faults: list[Fault] = []
    config: Config | None = None
    path: Path | None = args.file
    try:
        path = path or world.config_path()
        config = load_config(world.folder / path)
    except ConfigError as error:
        faults += error.faults
    if args.settings:
        try:
            world.settings()
        except ConfigError as error:
            faults += [fault for fault in error.faults if fault not in faults]
    name = path.name if path else "sync.yaml"
    if args.json:
        world.screen.json(
            Validation(
                file=name,
                valid=not faults,
                syncs=sorted(config.syncs) if config else [],
                faults=faults,
                warnings=config.warnings if config else [],
            )
        )
    else:
        _show(world, name, config, faults)
    return Exit.USAGE if faults else Exit.DONE


def _show(world: World, name: str, config: Config | None, faults: Sequence[Fault]) -> None:
    screen = world.screen
    for fault in faults:
        screen.line(str(fault))
    if faults:
        screen.line(warning(f"{many(len(faults), 'fault')} in the configuration"))
        screen.line("hint: Correct the lines above and run `xtsync validate` again.")
        return
    for each in config.warnings if config else ():
        screen.line(f"warning: {each}")
    screen.line(good(f"{name} is valid: {many(len(config.syncs) if config else 0, 'sync')}"))
    for sync in (config.syncs if config else {}).values():
        rules = many(len(sync.mapping), "mapping rule")
        screen.line(f"  {sync.name}: {sync.source.key} -> {sync.target.key}, {rules}{_mode(sync)}")


def _mode(sync: Sync) -> str:
    return "; observes, writes nothing" if sync.mode is Mode.OBSERVE else ""
