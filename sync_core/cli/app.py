"""A deployed app, as a command sees it with --url: the operator endpoints, with the caller's own sign-in.

The address and the audience of the token come from the person alone. Neither a challenge nor a redirect of the app
changes them: whoever answers under a wrong address must not choose for whom a token is made, nor where it goes.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from itertools import batched
from urllib.parse import quote, urlsplit

import httpx

from ..model import Json, is_object_id
from ..model.errors import SyncError, UnavailableError
from ..ops import documents
from ..ops.documents import as_json, read_json
from ..ops.endpoints import ENDPOINTS
from ..ops.errors import RefusedError, UsageError
from ..ops.people import Pair
from ..ops.reading import MOST_NAMES

type Token = Callable[[str], Awaitable[str]]

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_AUDIENCE = re.compile(r"api://[!-~]{1,250}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TIMEOUT_S = 240.0  # App Service ends a request after 230 s
# The cookie of App Service authentication: on this machine the local stack takes a role as its value.
_LOCAL_SESSION = "AppServiceAuthSession"


class SignInError(SyncError):
    """The caller is not signed in, or not for this app."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class App:
    """Each call gives the document that the command would make here. A refusal is raised with the app's own words."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ask[T](
        self,
        name: str,
        document: type[T],
        *,
        body: object = None,
        query: Mapping[str, str | int | None] | None = None,
        **route: str,
    ) -> T:
        """One of ENDPOINTS, by its name. Raises UsageError, RefusedError, SignInError and UnavailableError."""
        endpoint = ENDPOINTS[name]
        path = endpoint.path.format(**{key: quote(text, safe="") for key, text in route.items()})
        params = {key: str(value) for key, value in (query or {}).items() if value is not None}
        sent = None if endpoint.method == "GET" else as_json({} if body is None else body)
        answer = await self._send(endpoint.method, f"/api/{path}", params, sent)
        said = _json(answer)
        if answer.status_code not in endpoint.statuses or (isinstance(said, dict) and said.keys() == {"error"}):
            raise _refusal(answer, said, name)
        try:
            return read_json(document, said)
        except ValueError as error:
            raise RefusedError(
                f"the app's answer is not understood: {error}", hint="It may be newer: update xtsync to its version."
            ) from None

    async def find(self, user: str, sync: str | None) -> list[documents.User]:
        """The syncs to look at, each with the user's object id, as names.find_user has it."""
        if is_object_id(user.lower()) and sync is not None:
            return [documents.User(sync=sync, user=user.lower())]
        if sync is not None and sync not in (known := (await self.ask("caller", documents.Caller)).syncs):
            raise UsageError(f"no sync is named '{sync}'", hint=f"Syncs of the app are: {', '.join(known)}.")
        found = await self.ask("find", documents.Found, body=documents.FindRequest(user=user))
        users = [each for each in found.users if sync in (None, each.sync)]
        if not users:
            raise RefusedError(f"no user of {sync} is meant", hint="Leave --sync out to see where the user is.")
        return users

    async def names(self, pairs: Collection[Pair]) -> Mapping[Pair, str]:
        """As people.names: whoever cannot be read has none."""
        known: dict[tuple[str, str], str] = {}
        for some in batched(pairs, MOST_NAMES, strict=False):
            users = [documents.User(sync=each.sync, user=each.source_id) for each in some]
            try:
                named = await self.ask("names", documents.Names, body=documents.NamesRequest(users=users))
            except SyncError:
                return {}
            known |= {(each.sync, each.user): each.name for each in named.names}
        return {each: known[each.sync, each.source_id] for each in pairs if (each.sync, each.source_id) in known}

    async def _send(self, method: str, path: str, params: Mapping[str, str], sent: Json) -> httpx.Response:
        try:
            return await self._http.request(method, path, params=params, json=sent)
        except httpx.HTTPError as error:
            host = self._http.base_url.host
            raise UnavailableError(f"{host} does not answer: {type(error).__name__}") from error


def check_address(url: str) -> None:
    """Raises UsageError unless a token may be sent there."""
    parts = urlsplit(url)
    plain = parts.username is None and not parts.query and not parts.fragment and parts.path in ("", "/")
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not (plain and secure and parts.hostname):
        raise UsageError(
            "--url is no address of an app", hint="Give scheme and host alone: https://NAME.azurewebsites.net"
        )


@asynccontextmanager
async def connected(
    url: str, audience: str, role: str, *, token: Token, transport: httpx.AsyncBaseTransport | None
) -> AsyncIterator[App]:
    """`role` is for the sign-in of the local stack, which is taken where nobody names an audience on this machine."""
    check_address(url)
    headers = {"Accept": "application/json"}
    if not audience and urlsplit(url).hostname in _LOOPBACK:
        headers["Cookie"] = f"{_LOCAL_SESSION}={role}"
    else:
        headers["Authorization"] = f"Bearer {await token(_scope(audience))}"
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=_TIMEOUT_S, follow_redirects=False, transport=transport
    ) as http:
        yield App(http)


def _scope(audience: str) -> str:
    if not _AUDIENCE.fullmatch(audience):
        raise UsageError(
            "no audience for the token" if not audience else "the audience names no app",
            hint="Set XTSYNC_AUDIENCE, or --audience, to the deployment's output: azd env get-value OPERATORS_AUDIENCE",
        )
    return f"{audience}/.default"


def _json(answer: httpx.Response) -> object:
    if answer.status_code == 401:
        raise SignInError(
            "the app does not accept the sign-in",
            hint="Is XTSYNC_AUDIENCE that of this app, and are you signed in to its tenant? az login --tenant TENANT",
        )
    if answer.is_redirect:
        raise UsageError("the app answers from another address, to which nothing was sent", hint="Correct --url.")
    if answer.status_code == 404 and not answer.content:
        raise UsageError(
            "the app has no such endpoint",
            hint="Its version is older, or its operator endpoints are switched off: docs/deploy.md",
        )
    try:
        return answer.json()
    except ValueError:
        raise UsageError(
            f"the answer is no document of xtsync (status {answer.status_code})",
            hint="Is --url the address of the function app, such as https://NAME.azurewebsites.net?",
        ) from None


def _refusal(answer: httpx.Response, said: object, name: str) -> SyncError:
    """The app's own words. A user whom nobody knows is no wrong usage, as it is not beside the app."""
    try:
        detail = read_json(documents.Error, said).error
    except ValueError:
        return RefusedError(
            f"the answer is no document of xtsync (status {answer.status_code})", hint="Is --url that of the app?"
        )
    message, hint = "; ".join(detail.messages) or detail.code, detail.hint or ""
    if answer.status_code == 400 or (answer.status_code == 404 and name not in {"find", "pair"}):
        return UsageError(message, hint=hint)
    if answer.status_code in {502, 503}:
        return UnavailableError(message)
    return RefusedError(message, hint=hint)
