"""The page for operators: the files of sync_core/web, behind the sign-in and the roles of the endpoints.

The files are the same for everybody and name nobody. All that they show they ask of the endpoints, as the caller.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .calls import Call, HttpError, admit
from .principal import Role

log = logging.getLogger("xtsync.operators")

START = "index.html"

_FOLDER = Path(__file__).resolve().parents[1] / "web"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
# Nothing but these files runs, is shown or is asked. Trusted types: no text can become markup.
# https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
# App Service authentication refuses a browser's POST without Origin and Referer: so the own site is told.
# https://learn.microsoft.com/azure/app-service/overview-authentication-authorization
_HEADERS = {
    "Cache-Control": "private, no-cache",  # asked for each time, and sent again only when it changed
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_SIGN_IN = "Sign in at /.auth/login/aad?post_login_redirect_uri=/api/ops/"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    status: int
    body: bytes = b""
    media: str = "text/plain"
    headers: Mapping[str, str]


def serve(name: str, call: Call, *, enabled: bool) -> File:
    """One file by its name. Without App Service authentication in front (`enabled`) there is none."""
    if not enabled:
        return File(status=404, headers=_HEADERS)
    try:
        admit(call, frozenset(Role))
    except HttpError as refused:
        log.info("operator.refused call=page status=%d", refused.status)
        text = f"{refused}. {_SIGN_IN if refused.status == 401 else refused.hint}"
        return File(status=refused.status, body=text.encode(), headers=_HEADERS)
    file = _files().get(name)
    if file is None:
        return File(status=404, body=b"no such file", headers=_HEADERS)
    if call.headers.get("if-none-match") == file.headers["ETag"]:
        return File(status=304, media=file.media, headers=file.headers)
    return file


@cache
def _files() -> Mapping[str, File]:
    """They are part of the package, so that they do not change while it runs."""
    return {path.name: _file(path) for path in _FOLDER.iterdir() if path.suffix in _TYPES}


def _file(path: Path) -> File:
    body = path.read_bytes()
    tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    return File(status=200, body=body, media=_TYPES[path.suffix], headers={**_HEADERS, "ETag": tag})
