"""`python -m local up | demo`: what `make up` and `make demo` run."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from local.demo import demo
from local.ports import Ports
from local.processes import ChildFailedError, bypass_proxies
from local.stack import ROOT
from local.up import Up, kept_folder
from sync_core.model.errors import ConfigError


async def up(life: Up) -> int:
    """Start the stack, print one `ready` line, run until Ctrl-C or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return await life.run(stopped)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description="The local stack.")
    commands = parser.add_subparsers(dest="command", required=True)
    upping = commands.add_parser("up", help="start Azurite, the Graph emulator and the Functions host")
    upping.add_argument("--host", choices=["builtin", "func"], default="builtin", help="func: Azure's own Core Tools")
    upping.add_argument("--split", action="store_true", help="three hosts, as Flex Consumption splits an app")
    upping.add_argument("--people", type=int, default=25, help="people in the source tenant (default: 25)")
    commands.add_parser("demo", help="run the whole story; exit code 0 only if both tenants agree at the end")
    arguments = parser.parse_args()
    bypass_proxies(os.environ)
    try:
        if arguments.command == "demo":
            return asyncio.run(demo())
        life = Up(
            config=Path(os.environ.get("XTSYNC_CONFIG") or ROOT / "sync.yaml").resolve(),
            ports=Ports.from_environment(os.environ),
            people=arguments.people,
            kept=kept_folder(os.environ),
            core_tools=arguments.host == "func",
            split=arguments.split,
        )
        return asyncio.run(up(life))
    except (ChildFailedError, ConfigError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
