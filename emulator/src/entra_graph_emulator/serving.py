"""The emulator on a port of this process, in a thread of its own: for tests and programs that are not asynchronous."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

import httpx

from entra_graph_emulator.emulator import DEFAULT_APP, Emulator
from entra_graph_emulator.server import listening
from entra_graph_emulator.wire.clock import WallClock

_HOST: Final = "127.0.0.1"
_Opened: TypeAlias = tuple[int, Callable[[], object]]  # the port, and how listening ends


class Served:
    """`url` is where it listens; with `https`, `root` is the certificate that a client has to trust."""

    def __init__(self, emulator: Emulator, url: str, root: Path | None) -> None:
        self.url = url
        self.root = root
        self._emulator = emulator

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A command under `/_emulator`, with its answer. Raises ValueError with the text of a refusal."""
        trust = ssl.create_default_context(cafile=str(self.root)) if self.root else False
        answer = httpx.request(method, f"{self.url}/_emulator{path}", json=body, verify=trust, trust_env=False)
        if answer.is_error:
            raise ValueError(answer.json()["error"])
        return answer.json()

    def token(self, tenant: str, *, app: str = DEFAULT_APP, roles: Iterable[str] | None = None) -> str:
        """A token of `tenant`, by id. `roles` None: every permission."""
        return self._emulator.token(tenant, app=app, roles=roles)


@contextmanager
def serving(*, port: int = 0, seed: int = 0, tls: Path | None = None, strict: bool = False) -> Iterator[Served]:
    """While the block runs, on 127.0.0.1. `tls` is a folder for the certificate, `strict` records findings.

    Raises OSError or OverflowError where the port cannot be opened, and ImportError where `tls` lacks its library.
    """
    emulator = Emulator(clock=WallClock(), rng=Random(seed), strict=strict)
    root, context, scheme, name = None, None, "http", _HOST
    if tls is not None:
        # Only with `https` the extra is needed.
        from entra_graph_emulator.certificates import certificate  # noqa: PLC0415

        made = certificate(tls)
        root, context, scheme, name = made.root, made.context(), "https", "localhost"
    opened: Future[_Opened] = Future()
    arguments = (emulator, port, context, opened)
    # A loop of its own: the caller may be in one, or in none.
    thread = threading.Thread(target=_run, args=arguments, name="graph-emulator", daemon=True)
    thread.start()
    number, stop = opened.result()
    try:
        yield Served(emulator, f"{scheme}://{name}:{number}", root)
    finally:
        stop()
        thread.join()


def _run(emulator: Emulator, port: int, context: ssl.SSLContext | None, opened: "Future[_Opened]") -> None:
    async def listen() -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        async with listening(emulator, _HOST, port, context) as number:
            opened.set_result((number, lambda: loop.call_soon_threadsafe(stopped.set)))
            await stopped.wait()

    try:
        asyncio.run(listen())
    except (OSError, OverflowError) as fault:
        opened.set_exception(fault)
