"""Deliberate faults: each takes one rule out of the engine at run time. A simulator that misses them proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from unittest.mock import patch

MUTATIONS: Mapping[str, Callable[[], AbstractContextManager[None]]] = {}
