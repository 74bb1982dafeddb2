"""The surroundings of a command: settings, streams, a runtime. Tests bring another World."""

from __future__ import annotations

import json
import os
import signal
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from .. import bootstrap
from ..assembly import Runtime
from ..config.file import Config, load_config
from ..config.settings import Settings, load_settings
from ..decision.look import Look
from ..model.errors import ConfigError, Fault
from ..ops.errors import RefusedError, UsageError
from .screen import Screen

if TYPE_CHECKING:
    import httpx

    from .app import App, Token

LOCAL_SETTINGS = "local.settings.json"


class Exit(IntEnum):
    DONE = 0
    FAULT = 1
    USAGE = 2  # wrong usage or configuration
    APPROVAL = 3  # a person has to decide
    INTERRUPTED = 130


class Build(Protocol):
    """As deployment.build."""

    def __call__(
        self, settings: Settings, config: Config, *, read_only: bool, on_look: Callable[[Look], None]
    ) -> Runtime: ...


async def azure_cli_token(scope: str) -> str:
    """Of whoever is signed in with `az login`. Raises SignInError. The libraries come with the first call."""
    return str(await import_module(".azure_cli", __package__).token(scope))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    environ: Mapping[str, str]
    folder: Path  # the current one: sync.yaml and local.settings.json are looked for here
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    build: Build = bootstrap.build
    token: Token = azure_cli_token
    transport: httpx.AsyncBaseTransport | None = None

    @classmethod
    def of_process(cls) -> World:
        return cls(environ=os.environ, folder=Path.cwd(), stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr)

    @property
    def screen(self) -> Screen:
        return Screen(self.stdout, self.environ)

    @property
    def errors(self) -> Screen:
        return Screen(self.stderr, self.environ)

    def answer[T](self, document: T, show: Callable[[Screen, T], None], *, json: bool) -> None:
        """JSON for programs, or the document as people see it."""
        if json:
            self.screen.json(document)
        else:
            show(self.screen, document)

    def config_path(self) -> Path:
        """The path of sync.yaml, which is known even when other settings are wrong."""
        return self.folder / (self._variables().get("XTSYNC_CONFIG") or "sync.yaml")

    def settings(self) -> Settings:
        return load_settings(self._variables())

    def load(self) -> tuple[Settings, Config]:
        """Settings and sync.yaml; one ConfigError with the faults of both."""
        faults: list[Fault] = []
        settings = _collect(faults, self.settings)
        config = _collect(faults, lambda: load_config(self.config_path()))
        if settings is None or config is None:
            raise ConfigError(faults)
        return settings, config

    @asynccontextmanager
    async def runtime(
        self, *, read_only: bool = False, on_look: Callable[[Look], None] = lambda _: None
    ) -> AsyncIterator[Runtime]:
        """A runtime of the running loop; it is closed after an error too."""
        settings, config = self.load()
        runtime = self.build(settings, config, read_only=read_only, on_look=on_look)
        try:
            yield runtime
        finally:
            await runtime.close()

    def url(self, args: Namespace) -> str:
        """The address of the deployed app that the command is for; empty: it works here."""
        return str(getattr(args, "url", None) or self._variables().get("XTSYNC_URL") or "")

    @asynccontextmanager
    async def app(self, args: Namespace) -> AsyncIterator[App]:
        variables = self._variables()
        audience = str(args.audience or variables.get("XTSYNC_AUDIENCE") or "")
        role = variables.get("XTSYNC_LOCAL_ROLE") or "Operator"
        connected = import_module(".app", __package__).connected  # HTTP is for commands that ask a deployed app
        async with connected(self.url(args), audience, role, token=self.token, transport=self.transport) as app:
            yield app

    async def ask[T](
        self,
        args: Namespace,
        here: Callable[[Runtime], Awaitable[T]],
        there: Callable[[App], Awaitable[T]],
        *,
        read_only: bool = False,
    ) -> T:
        """Of a deployed app, if the command is for one; otherwise of a runtime here. The answer is the same."""
        if self.url(args):
            async with self.app(args) as app:
                return await there(app)
        async with self.runtime(read_only=read_only) as runtime:
            return await here(runtime)

    def confirm(self, question: str) -> None:
        """Ask the person at the terminal. Raises RefusedError unless the answer is yes.

        Without a terminal nobody can answer, and silence is not consent: UsageError.
        """
        if not self.stdin.isatty():
            raise UsageError("nobody is there to confirm this", hint="Add --yes to go ahead without being asked.")
        self.stderr.write(f"{question} [y/N] ")
        self.stderr.flush()
        # asyncio answers the first Ctrl-C by cancelling the task, which a person at this prompt would not notice.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            confirmed = self.stdin.readline().strip().lower() in {"y", "yes"}
        finally:
            signal.signal(signal.SIGINT, before)
        if not confirmed:
            raise RefusedError("not confirmed; nothing was decided", hint="Answer y, or add --yes.")

    def _variables(self) -> Mapping[str, str]:
        """The environment; what it lacks comes from local.settings.json, as with `func start`."""
        return {**_local_values(self.folder / LOCAL_SETTINGS), **self.environ}


def _collect[T](faults: list[Fault], load: Callable[[], T]) -> T | None:
    try:
        return load()
    except ConfigError as error:
        faults += [fault for fault in error.faults if fault not in faults]  # local.settings.json is read for both
        return None


def _local_values(path: Path) -> dict[str, str]:
    """https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file"""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError([Fault(where=path.name, message=f"cannot be read: {type(error).__name__}")]) from error
    except json.JSONDecodeError as error:
        raise ConfigError([Fault(where=f"{path.name}:{error.lineno}", message=f"not JSON: {error.msg}")]) from None
    except ValueError as error:
        raise ConfigError([Fault(where=path.name, message="is not UTF-8 text")]) from error
    if not isinstance(content, dict) or not isinstance(content.get("Values", {}), dict):
        raise ConfigError([Fault(where=path.name, message='has no object "Values"')])
    if content.get("IsEncrypted") is True:
        raise ConfigError([Fault(where=path.name, message="is encrypted: run `func settings decrypt` first")])
    return {str(name): value for name, value in content.get("Values", {}).items() if isinstance(value, str)}
