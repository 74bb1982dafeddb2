"""This process: its settings, its configuration, its runtime.

The webhook needs `syncs_by_source` alone. The first call of `runtime` imports the libraries of Graph, identity and
storage, so that a cold instance answers Graph in time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from .assembly import Runtime
    from .config.file import Config
    from .config.settings import Settings
    from .storage.repositories import Storage


_STARTED = datetime.now(UTC)


@cache
def settings() -> Settings:
    """This process's app settings. Raises ConfigError with every fault."""
    from .config.settings import load_settings  # noqa: PLC0415 - Graph is answered before a setting is looked at

    return load_settings(os.environ)


@cache
def config() -> Config:
    """This process's sync.yaml. Raises ConfigError with every fault."""
    from .config.file import load_config  # noqa: PLC0415 - as above

    return load_config(settings().config)


def syncs_by_source() -> Mapping[str, list[str]]:
    """The names of the syncs that each source tenant feeds: all that the webhook needs of the configuration."""
    return config().syncs_by_source


@cache
def fingerprint() -> str:
    """The fingerprint of this process's configuration, which each nomination says."""
    return config().fingerprint


_lifetimes: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, AsyncGenerator[Runtime]]] = WeakKeyDictionary()
_runtimes: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, Runtime]] = WeakKeyDictionary()


async def runtime(*, read_only: bool = False) -> Runtime:
    """The running loop's own runtime, or its twin that cannot write: clients belong to one event loop."""
    loop = asyncio.get_running_loop()
    runtimes = _runtimes.setdefault(loop, {})
    if read_only not in runtimes:
        from .deployment import build  # noqa: PLC0415 - the webhook answers from cold without Graph and storage

        runtimes[read_only] = build(settings(), config(), read_only=read_only, started=_STARTED)
        lifetime = _lifetime(runtimes[read_only])
        _lifetimes.setdefault(loop, {})[read_only] = lifetime
        await anext(lifetime)
    return runtimes[read_only]


def reader_of(storage: Storage) -> Callable[[Config], Runtime]:
    """Makes runtimes of other configurations, which write neither to Graph nor to storage. The caller closes them."""
    from .deployment import build  # noqa: PLC0415 - as above

    return lambda config: build(settings(), config, storage=storage.for_reading(), read_only=True)


async def _lifetime(runtime: Runtime) -> AsyncGenerator[Runtime]:
    """Functions has no hook for the end of a worker; a loop that shuts down does close its generators."""
    try:
        yield runtime
    finally:
        await runtime.close()
