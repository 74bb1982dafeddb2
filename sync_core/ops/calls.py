"""One request to an operator endpoint, its answer, and what its path, query and body say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from ..assembly import Runtime
from ..model import Sync, is_object_id
from .documents import Decided, as_json
from .errors import RefusedError, UsageError
from .history import MOST
from .names import find_sync, find_syncs
from .principal import HEADER, Principal, Role, read_principal

NOT_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}  # the headers of every answer

_LONGEST_BODY = 512 * 1024  # bytes: a sync.yaml of the largest size, each character of it escaped

_NUMBER = re.compile("[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request. Header names are in lower case; `route` has the parameters of the path."""

    headers: Mapping[str, str]
    route: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = ""  # the public address of the app


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`document` is one of documents/, or None for an empty body."""

    status: int
    document: object = None
    headers: Mapping[str, str] = field(default_factory=dict)  # besides those of every answer

    @property
    def body(self) -> str:
        return "" if self.document is None else json.dumps(as_json(self.document))


class HttpError(Exception):
    """The call is answered with this status and an error document."""

    def __init__(
        self, status: int, message: str, hint: str = "", *, more: Sequence[str] = (), wait_s: int | None = None
    ) -> None:
        """`more`: further messages. `wait_s`: in so many seconds the call may succeed."""
        super().__init__(message)
        self.status = status
        self.messages = (message, *more)
        self.hint = hint
        self.wait_s = wait_s


def named() -> AbstractContextManager[None]:
    """A name of the path that nothing has."""
    return _usage_error_as(404)


def understood() -> AbstractContextManager[None]:
    """A parameter or a body that says nothing that can be done."""
    return _usage_error_as(400)


@contextmanager
def _usage_error_as(status: int) -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        raise HttpError(status, str(error), error.hint) from None


@contextmanager
def refused_as_409() -> Iterator[None]:
    """A RefusedError is for the caller to read."""
    try:
        yield
    except RefusedError as error:
        raise HttpError(409, str(error), error.hint) from None


def admit(call: Call, needs: frozenset[Role]) -> Principal:
    """The caller, who has one of these roles. Raises HttpError for anybody else."""
    principal = read_principal(call.headers.get(HEADER, ""))
    if principal is None:
        raise HttpError(401, "sign in")
    if principal.roles.isdisjoint(needs):
        raise HttpError(
            403,
            f"needs the role {' or '.join(sorted(needs))}",
            "An administrator assigns it: Entra admin center, Enterprise applications, the one for operators.",
        )
    return principal


def sync_of(runtime: Runtime, call: Call) -> Sync:
    with named():
        return find_sync(runtime.config, call.route["sync"])


def syncs_of(runtime: Runtime, call: Call) -> list[Sync]:
    """The one that the query names, or all of them."""
    with named():
        return find_syncs(runtime.config, call.query.get("sync"))


def user_of(call: Call) -> str:
    return object_id_of(call.route["user"])


def object_id_of(text: str) -> str:
    user = text.lower()
    if not is_object_id(user):
        raise HttpError(400, "a user is named by object id")
    return user


def limit_of(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > MOST:
        raise HttpError(400, f"`limit` is a number from 1 to {MOST}")
    return int(text)


def object_of(call: Call) -> Mapping[str, object]:
    try:
        body = json.loads(call.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise HttpError(400, "the body must be a JSON object")
    return body


def body_of[T](call: Call, document: type[T]) -> T:
    """The body as this document. A fault is told by the names of fields: values may be personal data."""
    if len(call.body) > _LONGEST_BODY:
        raise HttpError(400, f"the body has more than {_LONGEST_BODY} bytes")
    try:
        return TypeAdapter(document).validate_json(call.body, strict=True)
    except (ValidationError, RecursionError) as error:
        faults = error.errors() if isinstance(error, ValidationError) else []
        where = ", ".join(sorted({".".join(map(str, fault["loc"])) or "the whole" for fault in faults}))
        raise HttpError(400, f"the body is not as openapi.json describes it: {where or 'the whole'}") from None


def decision_of(call: Call) -> Decided:
    match object_of(call):
        case {"decision": "approve"}:
            return Decided.APPROVED
        case {"decision": "reject"}:
            return Decided.REJECTED
    raise HttpError(400, '"decision" must be "approve" or "reject"')
