"""The host: it starts an application, keeps its triggers listening, and stops without losing work in progress."""

import asyncio
import hashlib
import logging
import os
import socket
from collections.abc import Collection, Coroutine, MutableMapping, Sequence
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware

from local.functions_host import triggers
from local.functions_host.faults import AppRefusedError
from local.functions_host.http import HttpTriggers
from local.functions_host.inputs import TableInputs
from local.functions_host.invoker import Invoker
from local.functions_host.model import Function
from local.functions_host.outputs import QueueOutputs
from local.functions_host.queues import QueueListener
from local.functions_host.settings import HostConfig, Settings, read_host_config, read_settings
from local.functions_host.storage import Storage
from local.functions_host.telemetry import Telemetry
from local.functions_host.timers import TimerListener
from local.functions_host.validate import find_faults, has_schedule
from local.functions_host.worker import Worker

_log = logging.getLogger(__name__)


class FunctionsHost:
    """Runs one application in this process, on this event loop. Port 0 picks a free one; see `port` after `start`.

    `only` names the functions to run, as `func start --functions` does: Flex Consumption splits an app in this way.
    `inherited` is the descriptor of a socket that listens already; then `address` and `port` only say where.
    """

    def __init__(
        self,
        app: Path,
        *,
        address: str = "127.0.0.1",
        port: int = 7071,
        grace_s: float = 10.0,
        only: Collection[str] = (),
        inherited: int | None = None,
        environ: MutableMapping[str, str] = os.environ,
        telemetry: Telemetry | None = None,
        in_front: Sequence[Middleware] = (),
    ) -> None:
        self._app = app.resolve()
        self._address = address
        self.port = port
        self._grace_s = grace_s
        self._only = frozenset(only)
        self._socket = socket.socket(fileno=inherited) if inherited is not None else None
        self.restart_wanted = asyncio.Event()  # functionTimeout was over
        self._environ = environ
        self._in_front = in_front  # of the HTTP triggers, as App Service authentication is
        self._telemetry = telemetry or Telemetry(lambda _table, _row: None)
        self._worker = Worker()
        self._storage: Storage | None = None
        self._http: HttpTriggers | None = None
        self._runner: web.AppRunner | None = None
        self._listeners: list[QueueListener | TimerListener] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.functions: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where HTTP functions answer, without the route prefix."""
        return f"http://{self._address}:{self.port}"

    async def start(self) -> None:
        """Index, check, then listen. Raises AppRefusedError with every fault found."""
        settings, config, functions = await self._load()
        self._storage = Storage(settings)
        invoker = Invoker(
            self._worker,
            TableInputs(self._storage, settings),
            QueueOutputs(self._storage, settings, as_base64=config.queues.base64),
            time_limit=config.function_timeout,
            telemetry=self._telemetry,
            timed_out=self.restart_wanted.set,
        )
        enabled = [function for function in functions if not settings.is_disabled(function.name)]
        host_id = self._host_id(settings)
        self._http = HttpTriggers(
            [triggers.endpoint(f, config, settings) for f in enabled if f.trigger.kind == "httpTrigger"],
            functions,
            invoker,
            by_hand=triggers.by_hand,
            polls=self._polls,
            host_id=host_id,
            in_front=self._in_front,
        )
        self._listeners += [
            triggers.queue_listener(f, config, settings, storage=self._storage, invoker=invoker)
            for f in enabled
            if f.trigger.kind == "queueTrigger"
        ]
        self._listeners += [
            triggers.timer_listener(f, settings, storage=self._storage, invoker=invoker, host_id=host_id)
            for f in enabled
            if f.trigger.kind == "timerTrigger"
        ]
        await self._open(self._http.app)
        self._tasks = [asyncio.create_task(listener.run()) for listener in self._listeners]
        self.functions = tuple(triggers.describe(function, config, settings) for function in enabled)

    async def stop(self) -> bool:
        """Stop listening and polling, then wait for running functions. False if the grace time was too short.

        After functionTimeout the threads of synchronous functions are not waited for: one of them may never end.
        """
        for listener in self._listeners:
            listener.stop()
        drained = await self._drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._storage is not None:
            await self._storage.close()
        if drained and not self.restart_wanted.is_set():
            self._worker.stop()
        return drained

    def hand_over(self) -> int:
        """The descriptor of the listening socket, for the process image that comes next: callers wait meanwhile."""
        assert self._socket is not None
        self._socket.set_inheritable(True)
        return self._socket.fileno()

    async def failure(self) -> None:
        """Wait for ever; raise the error of a listener, which is a fault of this host."""
        if self._tasks:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        await asyncio.Event().wait()

    async def _load(self) -> tuple[Settings, HostConfig, list[Function]]:
        """Raises AppRefusedError with the faults of host.json, of the worker's index and of the host's own checks."""
        settings = read_settings(self._app, self._environ)
        faults: list[str] = []
        config, functions = HostConfig(), list[Function]()
        try:
            config = read_host_config(self._app, settings)
        except AppRefusedError as error:
            faults += error.faults
        try:
            functions = await self._worker.start(self._app)
            faults += find_faults(functions, config, settings)
        except AppRefusedError as error:
            faults += error.faults
        if faults:
            self._worker.stop()
            raise AppRefusedError(faults)
        chosen = [function for function in functions if function.name in self._only or not self._only]
        for function in chosen:
            if function.has_retry_policy:
                _log.warning("function=%s has a retry policy, which the local host ignores", function.name)
        return settings, config, [function for function in chosen if has_schedule(function, settings)]

    def _polls(self) -> dict[str, int]:
        return {
            listener.queue_name: listener.polls for listener in self._listeners if isinstance(listener, QueueListener)
        }

    async def _open(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=self._grace_s)
        await self._runner.setup()
        try:
            if self._socket is None:
                self._socket = socket.create_server((self._address, self.port))
            # The site closes its own copy; this one listens on through a restart.
            await web.SockSite(self._runner, self._socket.dup()).start()
        except (OSError, OverflowError) as error:  # above 65535
            await self.stop()
            raise AppRefusedError(
                [f"port {self.port} of {self._address} cannot be opened ({error}): choose another with --port"]
            ) from error
        self.port = self._runner.addresses[0][1]

    async def _drain(self) -> bool:
        waits: list[Coroutine[object, object, object]] = []
        if self._runner is not None and self._http is not None:
            waits += [self._runner.cleanup(), self._http.drain()]
        waits.append(_finished(self._tasks))
        try:
            async with asyncio.timeout(self._grace_s):
                await asyncio.gather(*waits)
        except TimeoutError:
            _log.warning("stopped with work in hand: its messages come back when their leases end")
            return False
        return True

    def _host_id(self, settings: Settings) -> str:
        """The id under which timers are stored. Hosts of one directory share it, as instances of one app do."""
        named = settings.get("AzureFunctionsWebHost__hostid")
        return named.lower() if named else hashlib.sha256(str(self._app).encode()).hexdigest()[:32]


async def _finished(tasks: list[asyncio.Task[None]]) -> None:
    if tasks:
        await asyncio.wait(tasks)
