"""Compare-and-swap: read a record, change it, save it, and begin again when another worker saved it first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..model.errors import ConflictError


async def until_saved[T](
    attempt: Callable[[], Awaitable[T]],
    *,
    tries: int = 20,
    between: Callable[[int], Awaitable[None]] | None = None,
) -> T:
    """The result of the first attempt that loses no compare-and-swap; each attempt reads anew.

    `between` is awaited after each lost attempt, with its number from 1 on. Raises the last ConflictError.
    """
    for number in range(1, tries):
        try:
            return await attempt()
        except ConflictError:
            if between is not None:
                await between(number)
    return await attempt()
