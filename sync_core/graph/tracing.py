"""A span for each request to Graph, within what is under way: its method, its path without ids, how it ended."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

from ..telemetry.metrics import TENANT
from ..telemetry.port import Kind, Span, span

# Everything else may be an id or a value.
_NAME = re.compile(r"[A-Za-z$.]+|v1\.0")


def traced(method: str, url: str, tenant_id: str) -> AbstractContextManager[Span]:
    """`url.full` is the address without ids and without a query. Application Insights names the request by it.

    https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
    """
    parts = urlsplit(url)
    segments = [part if _NAME.fullmatch(part) else "{id}" for part in parts.path.split("/") if part]
    path = "/" + "/".join(segments)
    attributes = {
        "http.request.method": method,
        "url.full": f"{parts.scheme}://{parts.netloc}{path}",
        "url.template": path,
        "server.address": parts.hostname or "",
        TENANT: tenant_id,
    }
    return span(f"{method} {path.removeprefix('/v1.0')}", Kind.SENT, attributes)
