"""Messages that no function could handle: on the poison queues, where nothing can read them, or kept in `activity`."""

from __future__ import annotations

from collections.abc import Sequence

from ..assembly import Runtime
from ..model import Kind
from ..model.errors import MessageError
from ..model.messages import WORK_QUEUES, decode
from ..ports import Poisoned
from . import documents
from .documents import PoisonFate
from .errors import RefusedError, UsageError
from .kept import about, keep


async def list_poison(runtime: Runtime) -> documents.PoisonedMessages:
    """The next 32 of each poison queue, then what is kept."""
    waiting = [each for queue in WORK_QUEUES for each in await runtime.storage.poison.peek(queue)]
    kept = await runtime.storage.activity.kept()
    return documents.PoisonedMessages(messages=[_shown(each) for each in (*waiting, *kept)])


async def settle(runtime: Runtime, ids: Sequence[str], fate: PoisonFate, *, by: str) -> documents.SettledPoison:
    """Put these messages back on their work queues, encoded as the host wants them, or only remove them.

    Raises UsageError for an id that is not there, and RefusedError for a body that its function would fail on again.
    Messages before the one that is refused are settled, and those after it stay.
    """
    wanted, found = set(ids), set[str]()

    async def done(message: Poisoned) -> bool:
        if message.id not in wanted:
            return False
        if fate is PoisonFate.PUT_BACK:
            await _put_back(runtime, message)
        kind = Kind.PUT_BACK if fate is PoisonFate.PUT_BACK else Kind.DISCARDED
        reason = f"message {message.id} of {message.queue}"
        await keep(runtime, kind, about(runtime, message), by=by, reason=reason)
        found.add(message.id)
        return True

    for message in await runtime.storage.activity.kept():
        if await done(message):
            await runtime.storage.activity.drop_kept(message)
    for queue in WORK_QUEUES:
        await runtime.storage.poison.sift(queue, done)
    if left := wanted - found:
        raise UsageError(
            f"no such message: {', '.join(sorted(left))}", hint="Name messages by id, as `xtsync poison` lists them."
        )
    return documents.SettledPoison(fate=fate, ids=list(dict.fromkeys(ids)))


async def _put_back(runtime: Runtime, message: Poisoned) -> None:
    try:
        decode(message.queue, message.body)
    except MessageError as error:
        raise RefusedError(
            f"{message.id} was not put back: {error}",
            hint=f"No program of ours wrote it. Remove it: xtsync poison remove {message.id}",
        ) from error
    await runtime.storage.poison.put_back(message)


def _shown(message: Poisoned) -> documents.PoisonedMessage:
    return documents.PoisonedMessage(
        id=message.id, queue=message.queue, readable=message.readable, kept_at=message.at, body=message.body
    )
