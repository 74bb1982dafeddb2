"""A Graph client over real sockets, against a server that cuts, stalls, doubles and lies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from sync_core.graph.client import GraphClient
from sync_core.model.errors import GraphRefusedError, SyncError, UnavailableError
from tests.support.clock import ManualClock
from tests.support.graph import TENANT, USER, Tokens

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
BODY = b'{"value": []}'


def whole(body: bytes = BODY, *, length: int | None = None, more: bytes = b"") -> bytes:
    size = len(body) if length is None else length
    return HEAD + more + b"Content-Length: %d\r\n\r\n" % size + body


BROKEN: dict[str, bytes | None] = {
    "closed": None,
    "cut in the head": HEAD,
    "cut in the body": whole(length=len(BODY) + 10),
    "cut in a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nd\r\n" + BODY[:5],
    "no such chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY + b"\r\n0\r\n\r\n",
    "shorter than it is": whole(length=5),
    "two lengths": whole(more=b"Content-Length: 2\r\n"),
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "no such version": b"HTTP/9.9 200 OK\r\n\r\n",
    "not gzip": whole(b"not gzip", more=b"Content-Encoding: gzip\r\n"),
    "half of gzip": whole(b"\x1f\x8b\x08\x00\x00", more=b"Content-Encoding: gzip\r\n"),
    "a page of a proxy": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
    "an endless head": HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n",
}


@dataclass
class Server:
    """Answers each request with the next of the given bytes, and closes the connection after a broken answer.

    NAME stands for the name that the request has. None: it closes without an answer.
    `pause`: seconds between one byte and the next.
    """

    answers: list[bytes | None]
    pause: float = 0.0
    methods: list[bytes] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head)
                self.methods.append(head.split(b" ", 1)[0])
                answer = self.answers.pop(0) if self.answers else None
                if answer is None:
                    return
                name = next(
                    line[19:] for line in head.split(b"\r\n") if line.lower().startswith(b"client-request-id: ")
                )
                sent = answer.replace(b"NAME", name)
                for piece in (sent[at : at + 1] for at in range(len(sent))) if self.pause else [sent]:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(self.pause)
                if answer in BROKEN.values():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def talking(*answers: bytes | None, pause: float = 0.0) -> AsyncIterator[tuple[GraphClient, Server]]:
    server = Server(answers=list(answers), pause=pause)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{server.port}"
    client = GraphClient(tenant_id=TENANT, credential=Tokens(), clock=ManualClock(), graph_url=url)
    try:
        yield client, server
    finally:
        await client.close()
        listening.close()
        await listening.wait_closed()


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_answer_is_no_answer(answer: bytes | None) -> None:
    """Nothing else gets out of the client, and no part of it is taken for a listing."""
    async with talking(answer) as (client, _):
        with pytest.raises(UnavailableError):
            await client.get("/users")


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("method", ["delete", "patch", "put", "post"])
async def test_a_write_goes_out_once_whatever_becomes_of_its_answer(method: str, answer: bytes | None) -> None:
    """Also on a connection that was kept: a deletion sent again would go out without a last question."""
    async with talking(whole(), answer, EMPTY) as (client, server):
        await client.get("/users")
        sends = getattr(client, method)
        try:
            await sends("/users/{id}", {"id": USER}, **({} if method == "delete" else {"body": {"city": "Ulm"}}))
        except SyncError as error:
            assert isinstance(error, UnavailableError)  # noqa: PT017  a DELETE may be done by an answer without a body
        assert server.methods.count(method.upper().encode()) == 1


async def test_a_kept_connection_that_the_server_closed_is_no_answer() -> None:
    """The next request has a connection of its own."""
    async with talking(whole(), None, whole()) as (client, _):
        await client.get("/users")
        with pytest.raises(UnavailableError):
            await client.get("/users")
        assert await client.get("/users") == {"value": []}


async def test_a_link_of_graph_is_followed_as_it_came() -> None:
    """Whatever is escaped in it, and whatever is not: it is Graph's own text."""
    async with talking(whole()) as (client, server):
        path = b"/v1.0/users/delta?%24deltatoken=a%2Bb%3D%3D%27x&$filter=startsWith(a,'b')%20eq"
        await client.follow(f"http://127.0.0.1:{server.port}{path.decode()}")
        assert server.heads[-1].split(b" ")[1] == path


@pytest.mark.parametrize("written", ["$count=true", "%24count=true"])
async def test_an_advanced_query_stays_one_on_each_page(written: str) -> None:
    """A link of Graph has the count and not the header, without which the second page would be 400."""
    async with talking(whole(), whole()) as (client, server):
        await client.get("/users?$count=true&$filter=extension_a eq 'b'")
        await client.follow(f"http://127.0.0.1:{server.port}/v1.0/users?{written}&$skiptoken=1")
        assert [b"consistencylevel: eventual" in head.lower() for head in server.heads] == [True, True]


async def test_an_answer_that_is_there_twice_answers_one_request() -> None:
    """The second copy is not taken for the answer of the next request, which may be about somebody else."""
    named = whole(more=b"client-request-id: NAME\r\nrequest-id: 1\r\n")
    other = whole(b'{"value": [{"id": "x"}]}', more=b"client-request-id: NAME\r\nrequest-id: 2\r\n")
    async with talking(named + named, other, other) as (client, _):
        assert await client.get("/users") == {"value": []}
        with pytest.raises(UnavailableError, match="another request"):
            await client.get("/users")
        assert await client.get("/users") == {"value": [{"id": "x"}]}


async def test_an_answer_that_names_no_request_of_ours_counts_where_our_name_did_not_come_through() -> None:
    """A gateway may drop the header. Graph then names the request by its own id, or there is no name at all."""
    async with talking(whole(more=b"client-request-id: 1\r\nrequest-id: 1\r\n"), whole()) as (client, _):
        assert await client.get("/users") == {"value": []}
        assert await client.get("/users") == {"value": []}


async def test_a_slow_answer_is_whole_and_one_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte by byte it is read to its end, but not for ever."""
    async with talking(whole(), pause=0.001) as (client, _):
        assert await client.get("/users") == {"value": []}
    monkeypatch.setattr("sync_core.graph.client._TOTAL_SECONDS", 0.05)
    async with talking(whole(length=1000), pause=0.01) as (client, _):
        with pytest.raises(UnavailableError):
            await client.get("/users")


async def test_nobody_there_is_no_answer() -> None:
    """Neither is a host that refuses the connection."""
    async with talking() as (client, server):
        pass
    url = f"http://127.0.0.1:{server.port}"
    client = GraphClient(tenant_id=TENANT, credential=Tokens(), clock=ManualClock(), graph_url=url)
    with pytest.raises(UnavailableError):
        await client.get("/users")
    await client.close()


async def test_cookies_are_not_kept() -> None:
    """A gateway's cookie would bind all later requests to one machine, and tell it who asks."""
    async with talking(whole(more=b"Set-Cookie: a=b\r\n"), whole()) as (client, server):
        await client.get("/users")
        await client.get("/users")
        assert not [head for head in server.heads if b"cookie" in head.lower()]


async def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by every other program of the machine, and not for the hosts that it excepts."""
    async with talking(whole(), whole()) as (client, server):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        await client.get("/users")
        assert server.heads[-1].startswith(b"GET /v1.0/users ")
        elsewhere = GraphClient(
            tenant_id=TENANT, credential=Tokens(), clock=ManualClock(), graph_url="http://graph.example"
        )
        assert await elsewhere.get("/users") == {"value": []}
        assert server.heads[-1].startswith(b"GET http://graph.example/v1.0/users ")
        await elsewhere.close()


async def test_a_refusal_with_a_body_in_chunks_is_read() -> None:
    """Graph's errors come in chunks and compressed as well."""
    body = b'{"error": {"code": "Request_BadRequest", "message": ""}}'
    chunks = b"".join(b"1\r\n" + bytes([byte]) + b"\r\n" for byte in body) + b"0\r\n\r\n"
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with talking(head + chunks) as (client, _):
        with pytest.raises(GraphRefusedError) as caught:
            await client.get("/users")
        assert caught.value.graph_code == "Request_BadRequest"
