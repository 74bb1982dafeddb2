"""Child processes of the local stack: they die with their parent, and stopping one never reaches another.

It knows nothing of the programs that it starts.
"""

import asyncio
import contextlib
import ctypes
import signal
import socket
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, MutableMapping
from types import TracebackType
from typing import Self

_PR_SET_PDEATHSIG = 1


def die_with_parent(death_signal: int = signal.SIGKILL) -> Callable[[], None] | None:
    """A `preexec_fn` after which the child gets `death_signal` when its parent ends, however it ends.

    Linux only (prctl(2)); elsewhere None, and a parent killed with -9 leaves its children behind.
    The library is looked up here, in the parent: nothing but the system call may run between fork and exec.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)

    return arm


def bypass_proxies(environ: MutableMapping[str, str]) -> None:
    """Loopback is reached without a proxy. One of SOCKS is left out: with it httpx makes no client at all."""
    for name in [name for name in environ if name.lower() in {"http_proxy", "https_proxy", "all_proxy"}]:
        if environ[name].lower().startswith("socks"):
            del environ[name]
    for name in ("NO_PROXY", "no_proxy"):
        environ[name] = ",".join(["127.0.0.1", "localhost", *filter(None, [environ.get(name)])])


def free_ports(count: int) -> list[int]:
    """Distinct free TCP ports on the loopback address. Another process may take one first: bind soon."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port of a server that just ended is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def wait_for_port(port: int, *, process: asyncio.subprocess.Process, timeout_s: float) -> None:
    """Return once something listens on `port`. Raises ChildFailedError when the process ends or time runs out."""
    try:
        async with asyncio.timeout(timeout_s):
            while not await _listens(port):
                if process.returncode is not None:
                    raise ChildFailedError(f"it ended with code {process.returncode} before listening on port {port}")
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise ChildFailedError(f"nothing listened on port {port} within {timeout_s:g} s") from error


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def stop_process(process: asyncio.subprocess.Process, *, grace_s: float = 5.0) -> int:
    """End one child: SIGTERM, then SIGKILL after the grace time. Gives its exit code; a second call is harmless."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(grace_s):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    return await process.wait()


class Startable(ABC):
    """Something that `async with` starts, and stops however the block ends."""

    @abstractmethod
    async def start(self) -> None: ...

    @abstractmethod
    async def stop(self) -> object: ...

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()


class ChildFailedError(RuntimeError):
    """A child process did not start."""
