"""This process: its settings, its configuration, its runtime.

The webhook needs `known_subscriptions` alone. The first call of `runtime` imports the libraries of Graph, identity and
storage, so that a cold instance answers Graph in time.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .nominate import webhook
from .telemetry.port import install

if TYPE_CHECKING:
    from pathlib import Path

    from .assembly import Runtime
    from .config.file import Config
    from .config.settings import Settings
    from .decision.look import Look
    from .storage.repositories import Storage

log = logging.getLogger("xtsync.app")

_STARTED = datetime.now(UTC)


@cache
def settings() -> Settings:
    """This process's app settings. Raises ConfigError with every fault."""
    return _loaders()[0](os.environ)


@cache
def config() -> Config:
    """This process's sync.yaml. Raises ConfigError with every fault."""
    return _loaders()[1](settings().config)


def _loaders() -> tuple[Callable[[Mapping[str, str]], Settings], Callable[[Path], Config]]:
    from .config import file, settings  # noqa: PLC0415 - Graph is answered before a setting is looked at

    return settings.load_settings, file.load_config


def known_subscriptions(rows: str) -> Mapping[str, webhook.Known]:
    """By this process's configuration, from the `subscriptions` table as the host's binding reads it."""
    read = config()
    return webhook.known_subscriptions(rows, read.syncs_by_source, read.subscribed_targets, fingerprint())


@cache
def fingerprint() -> str:
    """The fingerprint of this process's configuration, which each nomination says."""
    return config().fingerprint


@cache
def start_telemetry() -> None:
    """Turn telemetry on if the settings say so. What goes wrong with it is logged, and stops nothing."""
    wanted = settings()
    try:
        match wanted.telemetry:
            case "off":
                return
            case "otlp":
                from .telemetry import collector  # noqa: PLC0415 - off costs no import

                started = collector.start(ratio=wanted.telemetry_ratio)
            case _:
                from .telemetry import insights  # noqa: PLC0415 - likewise

                connection = wanted.insights_connection.get_secret_value()
                started = insights.start(connection, ratio=wanted.telemetry_ratio)
    except Exception as error:  # noqa: BLE001 - a library of others, and nobody's account depends on it
        log.warning("telemetry.not_started error=%s", type(error).__name__)
        return
    install(started)
    atexit.register(started.close)


def build(
    settings: Settings,
    config: Config,
    *,
    read_only: bool,
    storage: Storage | None = None,
    on_look: Callable[[Look], None] = lambda _: None,
    started: datetime | None = None,
) -> Runtime:
    """As deployment.build, whose libraries come with the first call: the webhook and some commands do without."""
    from . import deployment  # noqa: PLC0415 - as it says

    return deployment.build(settings, config, read_only=read_only, storage=storage, on_look=on_look, started=started)


_lifetimes: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, AsyncGenerator[Runtime]]] = WeakKeyDictionary()
_runtimes: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, Runtime]] = WeakKeyDictionary()


async def runtime(*, read_only: bool = False) -> Runtime:
    """The running loop's own runtime, or its twin that cannot write: clients belong to one event loop."""
    loop = asyncio.get_running_loop()
    runtimes = _runtimes.setdefault(loop, {})
    if read_only not in runtimes:
        start_telemetry()
        runtimes[read_only] = build(settings(), config(), read_only=read_only, started=_STARTED)
        lifetime = _lifetime(runtimes[read_only])
        _lifetimes.setdefault(loop, {})[read_only] = lifetime
        await anext(lifetime)
    return runtimes[read_only]


def reader_of(storage: Storage) -> Callable[[Config], Runtime]:
    """Makes runtimes of other configurations, which write neither to Graph nor to storage. The caller closes them."""
    return lambda config: build(settings(), config, storage=storage.for_reading(), read_only=True)


async def _lifetime(runtime: Runtime) -> AsyncGenerator[Runtime]:
    """Functions has no hook for the end of a worker; a loop that shuts down does close its generators."""
    try:
        yield runtime
    finally:
        await runtime.close()
