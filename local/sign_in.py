"""What stands in for App Service authentication on this machine: one chooses a role, and proves nothing.

As there, the header of the principal is taken off each request and written anew, and /.auth/login/aad leads to a
cookie. It is part of the local HTTP host, which is not deployed: nothing of the app can switch it on.
https://learn.microsoft.com/azure/app-service/overview-authentication-authorization
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from html import escape
from typing import Final
from urllib.parse import quote

from aiohttp import web

HEADER: Final = "X-MS-CLIENT-PRINCIPAL"
COOKIE: Final = "AppServiceAuthSession"
LOGIN: Final = "/.auth/login/aad"
PAGE: Final = "/api/ops/"
# The people one may be, by their roles. The object id is what the record has of them.
PEOPLE: Final = {
    "Operator": "00000000-0000-0000-0000-0000000000a1",
    "Reader": "00000000-0000-0000-0000-0000000000b2",
    "nobody": "00000000-0000-0000-0000-0000000000c3",
}

type _Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CHOICE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in, on this machine</title></head>
<body><h1>Sign in, on this machine</h1><p>In Azure, Entra asks here who you are. Choose a role:</p><ul>{roles}</ul>
</body></html>"""


@web.middleware
async def sign_in(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Only the operators' paths need a person, as authsettingsV2 of the templates has it."""
    if request.path == LOGIN:
        return _login(request)
    if request.path == "/.auth/logout":
        out = web.HTTPFound(LOGIN)
        out.del_cookie(COOKIE)
        raise out
    if not request.path.startswith("/api/ops"):
        return await handler(request)
    person = request.cookies.get(COOKIE, "")
    if person not in PEOPLE:
        return _choose(PAGE, status=401)
    headers = request.headers.copy()
    headers[HEADER] = principal(person)
    return await handler(request.clone(headers=headers))


def address(url: str) -> str:
    """Where a browser signs in and then sees the page."""
    return f"{url}{LOGIN}?post_login_redirect_uri={PAGE}"


def principal(person: str) -> str:
    """The header of App Service for one of PEOPLE."""
    claims = [{"typ": "http://schemas.microsoft.com/identity/claims/objectidentifier", "val": PEOPLE[person]}]
    if person != "nobody":
        claims.append({"typ": "roles", "val": person})
    document = {"auth_typ": "aad", "name_typ": "name", "role_typ": "roles", "claims": claims}
    return base64.b64encode(json.dumps(document).encode()).decode()


def _login(request: web.Request) -> web.Response:
    to, person = request.query.get("post_login_redirect_uri", PAGE), request.query.get("as")
    if person not in PEOPLE:
        return _choose(to, status=200)
    if not to.startswith("/") or to.startswith(("//", "/\\")):
        to = PAGE  # not to another site
    found = web.HTTPFound(to)
    found.set_cookie(COOKIE, person, httponly=True, samesite="Lax")
    raise found


def _choose(to: str, *, status: int) -> web.Response:
    links = [f"{LOGIN}?as={person}&post_login_redirect_uri={quote(to)}" for person in PEOPLE]
    roles = "".join(
        f'<li><a href="{escape(link)}">{person}</a></li>' for link, person in zip(links, PEOPLE, strict=True)
    )
    return web.Response(text=_CHOICE.format(roles=roles), status=status, content_type="text/html")
