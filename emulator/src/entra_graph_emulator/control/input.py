"""The bodies of commands, read and checked."""

import json

from entra_graph_emulator.wire.messages import JsonObject, Request


class ControlError(Exception):
    """A command that cannot be carried out; the message says what is wrong."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def body_of(request: Request) -> JsonObject:
    try:
        value = json.loads((request.body or b"{}").decode("utf-8-sig"))
        json.dumps(value, ensure_ascii=False).encode()  # refuse text that no answer could send back as UTF-8
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ControlError(400, "the body must be a JSON object")
    return value


def text_of(body: JsonObject, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(400, f"{name} is required, as text")
    return value


def number_of(body: JsonObject, name: str, default: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ControlError(400, f"{name} must be a whole number, 0 or more")
    return value


def names_of(body: JsonObject, name: str) -> list[str]:
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ControlError(400, f"{name} must be a list of texts")
    return value
