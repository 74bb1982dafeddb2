"""`python -m entra_graph_emulator --port 8040`: the emulator alone, until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import logging
import signal
from pathlib import Path
from random import Random

from aiohttp import web

from entra_graph_emulator.control.seeding import seed_from_file
from entra_graph_emulator.emulator import Emulator
from entra_graph_emulator.server import application
from entra_graph_emulator.wire.clock import WallClock


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m entra_graph_emulator", description="A stateful Microsoft Graph.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8040, help="0: any free one")
    parser.add_argument(
        "--seed",
        action="append",
        default=[],
        metavar="N|FILE",
        help="a number: of ids and of every chance (default 0); a YAML file: tenants to begin with (see seeding.py)",
    )
    options = parser.parse_args()
    numbers = [int(each) for each in options.seed if each.isdecimal()]
    files = [Path(each) for each in options.seed if not each.isdecimal()]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s graph-emulator %(message)s")
    emulator = Emulator(clock=WallClock(), rng=Random(numbers[-1] if numbers else 0))
    try:
        for file in files:
            seed_from_file(emulator, file)
    except (OSError, ValueError) as fault:
        parser.error(str(fault))
    asyncio.run(_run(emulator, options.host, options.port))


async def _run(emulator: Emulator, host: str, port: int) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    runner = web.AppRunner(application(emulator), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except (OSError, OverflowError) as fault:  # above 65535
            raise SystemExit(f"port {port} of {host} cannot be opened ({fault}): choose another with --port") from fault
        logging.info("ready http://%s:%d", host, runner.addresses[0][1])
        await stop.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    main()
