"""`xtsync export-schema`: a sync of sync.yaml as the Entra synchronization schema that asks for the same."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ..config.entra import write_schema
from ..config.file import Config, load_config
from ..model import Sync
from ..ops.errors import UsageError
from ..ops.names import find_syncs
from .command import Commands, Reach, add_command
from .world import Exit, World

_DESCRIPTION = """\
Prints the JSON that PUT /servicePrincipals/{id}/synchronization/jobs/{id}/schema takes, once
its directories are filled in from the job's own schema. Standard error lists the parts
for which Entra has no words."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "export-schema",
        run,
        reach=Reach.FILES,
        summary="make an Entra synchronization schema of a sync",
        description=_DESCRIPTION,
        examples=("export-schema", "export-schema --sync contoso-to-fabrikam --config sync.yaml"),
    )
    parser.add_argument("--sync", metavar="NAME", help="needed where there is more than one")
    parser.add_argument("--config", type=Path, metavar="FILE", help="default: XTSYNC_CONFIG, else sync.yaml")


async def run(args: Namespace, world: World) -> int:
    config = load_config(world.folder / (args.config or world.config_path()))
    exported = write_schema(_sync(config, args.sync))
    world.screen.json(exported.schema)
    for note in exported.notes:
        world.errors.line(f"note: {note}")
    return Exit.DONE


def _sync(config: Config, name: str | None) -> Sync:
    syncs = find_syncs(config, name)
    if len(syncs) > 1:
        raise UsageError("there is more than one sync", hint=f"Say which: --sync {' or '.join(config.syncs)}")
    return syncs[0]
