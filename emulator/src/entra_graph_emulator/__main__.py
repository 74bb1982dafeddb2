"""`entra-graph-emulator --port 8040`: the emulator alone, until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import logging
import signal
import ssl
from pathlib import Path
from random import Random

from entra_graph_emulator import __version__
from entra_graph_emulator.control.seeding import seed_from_file
from entra_graph_emulator.emulator import Emulator
from entra_graph_emulator.server import listening
from entra_graph_emulator.wire.clock import WallClock


def main() -> None:
    parser = _parser()
    options = parser.parse_args()
    numbers = [int(each) for each in options.seed if each.isdecimal()]
    files = [Path(each) for each in options.seed if not each.isdecimal()]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s graph-emulator %(message)s")
    emulator = Emulator(clock=WallClock(), rng=Random(numbers[-1] if numbers else 0), strict=options.strict)
    try:
        for file in files:
            seed_from_file(emulator, file)
        context = _context(options.tls, [options.host, *options.tls_name]) if options.tls else None
    except (OSError, ValueError) as fault:
        parser.error(str(fault))
    asyncio.run(_run(emulator, options.host, options.port, context))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="entra-graph-emulator", description="A stateful Microsoft Graph.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0: reachable from other machines")
    parser.add_argument("--port", type=int, default=8040, help="0: any free one")
    parser.add_argument(
        "--seed",
        action="append",
        default=[],
        metavar="N|FILE",
        help="a number: of ids and of every chance (default 0); a YAML file: tenants to begin with (see seeding.py)",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="record each call that Graph does not document, and permissions beyond need: GET /_emulator/findings",
    )
    parser.add_argument(
        "--tls",
        type=Path,
        metavar="FOLDER",
        help="https, with a certificate that is made and kept in this folder; clients have to trust FOLDER/ca.pem",
    )
    parser.add_argument(
        "--tls-name", action="append", default=[], metavar="NAME", help="one more name or address of the server"
    )
    return parser


def _context(folder: Path, names: list[str]) -> ssl.SSLContext:
    """Raises ValueError with a remedy where `cryptography` is missing."""
    try:
        from entra_graph_emulator.certificates import LOCAL, certificate  # noqa: PLC0415
    except ImportError as fault:
        raise ValueError(f"--tls: {fault}; install it with pip install 'entra-graph-emulator[tls]'") from fault
    made = certificate(folder, [*LOCAL, *names])
    logging.info("https: clients have to trust %s", made.root)
    return made.context()


async def _run(emulator: Emulator, host: str, port: int, context: ssl.SSLContext | None) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    try:
        async with listening(emulator, host, port, context) as opened:
            logging.info("ready %s://%s:%d", "https" if context else "http", host, opened)
            await stop.wait()
    except (OSError, OverflowError) as fault:  # above 65535
        raise SystemExit(f"port {port} of {host} cannot be opened ({fault}): choose another with --port") from fault


if __name__ == "__main__":
    main()
