"""Output bindings, which the host writes after the worker has answered and before it reports success.

A Python value becomes messages by the real host's rules. `Out[bytes]` and `Out[typing.List[str]]` keep each body
exactly. An `Out[str]` that begins and ends like JSON is parsed and written again with indents. A JSON array becomes
several messages. What cannot be parsed fails the invocation. Source: azure-functions-host, FunctionBinding and Utility.
"""

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from local.functions_host.model import Function
from local.functions_host.settings import Settings
from local.functions_host.storage import Storage
from local.functions_host.worker import TypedData


class QueueOutputs:
    """Sends the values of an invocation's queue output bindings."""

    def __init__(self, storage: Storage, settings: Settings, *, as_base64: bool) -> None:
        self._storage = storage
        self._settings = settings
        self._as_base64 = as_base64

    async def flush(self, function: Function, outputs: Mapping[str, TypedData]) -> None:
        """Returns once every message is stored. Raises AzureError; messages already sent stay sent.

        Raises ValueError if a text looks like JSON and is none.
        """
        for name, data in outputs.items():
            binding = function.output(name)
            queue = self._storage.queue(binding.text("connection"), self._settings.resolve(binding.text("queueName")))
            for body in bodies_of(data):
                await send_creating(queue, encode(body, as_base64=self._as_base64))


def bodies_of(data: TypedData) -> list[bytes]:
    """The message bodies that the real host makes of one output value. Raises TypeError and ValueError."""
    match data.WhichOneof("data"), data.value:
        case "bytes", value:
            return [value]
        case "string", value:
            return [body.encode() for body in _bodies_of_text(value)]
        case "json", value:
            return [_text_of(item).encode() for item in _items(json.loads(value))]
        case "int" | "double", value:
            return [str(value).encode()]
        case kind, _:
            raise TypeError(f"a queue output cannot be {kind}")


def _bodies_of_text(text: str) -> list[str]:
    trimmed = text.strip()
    if (trimmed[:1], trimmed[-1:]) not in {("{", "}"), ("[", "]")}:
        return [text]
    return [_text_of(item) for item in _items(json.loads(trimmed))]


def _items(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]


def _text_of(item: Any) -> str:
    """As Newtonsoft's JToken.ToString(): a string bare, anything else as indented JSON."""
    return item if isinstance(item, str) else json.dumps(item, indent=2, ensure_ascii=False)


def encode(body: bytes, *, as_base64: bool) -> str:
    """The text of a message, by host.json's messageEncoding."""
    return base64.b64encode(body).decode() if as_base64 else body.decode()


async def send_creating(queue: QueueClient, content: str) -> None:
    """Send a message; if the queue does not exist, create it first."""
    try:
        await queue.send_message(content)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another process was faster
            await queue.create_queue()
        await queue.send_message(content)
