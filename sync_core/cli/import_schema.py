"""`xtsync import-schema`: an Entra synchronization schema becomes a sync.yaml; what could not come along is listed."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

import yaml

from ..config.entra import Imported, read_schema
from ..config.file import parse_config, read_text
from ..model.errors import ConfigError, Fault
from ..ops.documents import ImportedSchema
from ..ops.errors import UsageError
from ..ops.words import many
from .command import Commands, Reach, add_command
from .screen import good, warning
from .world import Exit, World

_DESCRIPTION = """\
FILE is the JSON of GET /servicePrincipals/{id}/synchronization/jobs/{id}/schema. The result
keeps Entra's behaviour: null values are not written unless you say --clear-nulls. Mappings
that cannot come along are left out and listed; clauses of filters that mean nothing here
stay in the file, where `xtsync validate` refuses them until you decide.
Exit code 0: done. 2: no schema, or the result needs your hand (each fault is listed)."""

_HEADER = "# yaml-language-server: $schema=docs/sync.schema.json\n# From an Entra synchronization schema.\n"
_PLACEHOLDER = "00000000-0000-0000-0000-00000000000"


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "import-schema",
        run,
        reach=Reach.FILES,
        summary="make a sync.yaml of an Entra synchronization schema",
        description=_DESCRIPTION,
        examples=("import-schema schema.json", "import-schema schema.json --sync contoso-to-fabrikam --out sync.yaml"),
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the schema as JSON")
    parser.add_argument("--sync", default="source-to-target", metavar="NAME", help="default: source-to-target")
    parser.add_argument("--source", metavar="ID", help="id of the source tenant; default: to be filled in")
    parser.add_argument("--target", metavar="ID", help="id of the target tenant; default: to be filled in")
    parser.add_argument("--clear-nulls", action="store_true", help="a cleared source value clears the target's")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a new file; default: standard output")


async def run(args: Namespace, world: World) -> int:
    schema = _load_json(world.folder / args.file)
    imported = read_schema(schema, clear_nulls=args.clear_nulls)
    text = _HEADER + yaml.safe_dump(_document(args, imported), sort_keys=False, allow_unicode=True, width=120)
    faults = _faults(text, args.out.name if args.out else "sync.yaml")
    if args.out:
        _write(world.folder / args.out, text)
    elif not args.json:
        world.stdout.write(text)
    _report(args, world, imported, text, faults)
    return Exit.USAGE if faults else Exit.DONE


def _load_json(path: Path) -> object:
    """Raises ConfigError."""
    try:
        return json.loads(read_text(path).removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise ConfigError([Fault(where=f"{path.name}:{error.lineno}", message=f"not JSON: {error.msg}")]) from None
    except (ValueError, RecursionError):
        raise ConfigError([Fault(where=path.name, message="not JSON")]) from None


def _document(args: Namespace, imported: Imported) -> Mapping[str, object]:
    tenants = {"source": {"id": args.source or f"{_PLACEHOLDER}1"}, "target": {"id": args.target or f"{_PLACEHOLDER}2"}}
    sync = {"name": args.sync, "source": "source", "target": "target", **imported.sync}
    return {"tenants": tenants, "syncs": [sync]}


def _faults(text: str, name: str) -> tuple[Fault, ...]:
    try:
        parse_config(text, name)
    except ConfigError as error:
        return error.faults
    return ()


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path.name} is there already", hint="Name a new file; nothing is overwritten.") from None
    except OSError as error:
        message = f"cannot be written: {type(error).__name__}"
        raise ConfigError([Fault(where=path.name, message=message)]) from error


def _report(args: Namespace, world: World, imported: Imported, text: str, faults: tuple[Fault, ...]) -> None:
    if args.json:
        world.screen.json(ImportedSchema(sync_yaml=text, notes=imported.notes, faults=faults))
        return
    screen = world.errors  # standard output may be the file
    for note in imported.notes:
        screen.line(f"note: {note}")
    for fault in faults:
        screen.line(warning(f"error: {fault}"))
    if not args.source or not args.target:
        screen.line("hint: Fill in the ids of both tenants.")
    screen.line(good(f"{many(len(imported.sync['mapping']), 'mapping rule')} carried over"))
