"""`python -m local.graph_emulator --port 8040`: the emulator alone, until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import logging
import signal
from random import Random

from aiohttp import web

from local.graph_emulator.clock import WallClock
from local.graph_emulator.emulator import Emulator
from local.graph_emulator.server import application


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.graph_emulator", description="A stateful Microsoft Graph.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8040, help="0: any free one")
    parser.add_argument("--seed", type=int, default=0, help="of ids and of every chance (default 0)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s graph-emulator %(message)s")
    asyncio.run(_run(options.host, options.port, options.seed))


async def _run(host: str, port: int, seed: int) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    emulator = Emulator(clock=WallClock(), rng=Random(seed))
    runner = web.AppRunner(application(emulator), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        logging.info("ready http://%s:%d", host, runner.addresses[0][1])
        await stop.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    main()
