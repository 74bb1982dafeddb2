"""HTTP to the processes of the local stack."""

from __future__ import annotations

import ssl

import httpx


def loopback(*, timeout: float, base_url: str = "") -> httpx.AsyncClient:
    """A client that trusts no certificate: to read those of all authorities takes longer than a request here."""
    return httpx.AsyncClient(base_url=base_url, timeout=timeout, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
