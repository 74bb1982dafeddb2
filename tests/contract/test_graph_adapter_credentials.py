"""The credentials of azure.identity: they can be made for every cloud, and their errors are ours. Loopback only."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import CredentialUnavailableError
from azure.identity.aio import ClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from local.processes import free_ports
from sync_core.deployment import SystemClock
from sync_core.graph.auth import TokenSource
from sync_core.graph.azure_tokens import AzureTokenSource, client_certificate, client_secret, federated_identity
from sync_core.graph.credentials import CLOUDS, Cloud, EmulatorCredential
from sync_core.model.errors import GraphRefusedError, UnavailableError

TENANT = "22222222-2222-2222-2222-222222222222"
APP = "33333333-3333-3333-3333-333333333333"


class Credential:
    """Stands for a credential of azure.identity."""

    def __init__(self, outcome: AccessToken | Exception) -> None:
        self.outcome = outcome
        self.asked: dict[str, Any] = {}
        self.closed = False

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.asked = {"scopes": scopes, **options}
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def close(self) -> None:
        self.closed = True


def source_of(credential: Credential) -> AzureTokenSource:
    return AzureTokenSource(cast(AsyncTokenCredential, credential))


async def test_claims_and_continuous_evaluation_are_passed_on() -> None:
    """What the client asks for reaches azure.identity, and closing closes it."""
    credential = Credential(AccessToken("t", 7))
    source = source_of(credential)
    token = await source.get_token("s", claims="c", enable_cae=True)
    await source.close()
    assert (token.token, token.expires_on) == ("t", 7)
    assert credential.asked == {"scopes": ("s",), "claims": "c", "enable_cae": True}
    assert credential.closed


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        (CredentialUnavailableError("no endpoint"), UnavailableError, "not available"),
        (ServiceRequestError("dns"), UnavailableError, "ServiceRequestError"),
        (ClientAuthenticationError("AADSTS700213: No match for subject x"), GraphRefusedError, "401 AADSTS700213"),
        (ClientAuthenticationError("no code at all"), GraphRefusedError, "401 NoAccessToken"),
    ],
)
async def test_a_refused_token_says_why_by_its_code(fault: Exception, error: type[Exception], text: str) -> None:
    """A refusal keeps Entra's AADSTS code and nothing of its text; what may pass is transient."""
    with pytest.raises(error, match=text) as caught:
        await source_of(Credential(fault)).get_token("s")
    assert "subject" not in str(caught.value)


def certificate(path: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "xtsync")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    path.write_bytes(pem)
    return path


@asynccontextmanager
async def entra(path: Path, answer: str) -> AsyncIterator[AzureTokenSource]:
    """azure.identity's own credential, and a token endpoint on loopback that always gives this answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(path))
    head, _, body = answer.partition("\n\n")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = ("HTTP/1.1 " + head).split("\n")
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", body]
        writer.write("\r\n".join(lines).encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        authority = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        credential = ClientSecretCredential(
            TENANT, APP, "s", authority=authority, connection_verify=False, retry_total=0
        )
        source = AzureTokenSource(credential)
        try:
            yield source
        finally:
            await source.close()


JSON = "Content-Type: application/json"
UNAVAILABLE = '{"error":"temporarily_unavailable","error_description":"AADSTS90033: A transient error has occurred."}'
OTHER = '{"error":"server_error","error_description":"AADSTS50000: There was an error issuing a token."}'


@pytest.mark.parametrize(
    ("answer", "retry_after"),
    [
        (f"400 Bad Request\n{JSON}\n\n{UNAVAILABLE}", None),
        (f"503 Unavailable\n{JSON}\nRetry-After: 7\n\n{UNAVAILABLE}", 7),
        (f"429 Too Many Requests\n{JSON}\nRetry-After: 30\n\n{OTHER}", 30),
        (f"500 Oops\n{JSON}\n\n{OTHER}", None),
        ("503 Unavailable\nContent-Type: text/html\n\n<h1>An error occurred</h1>", None),
        ("503 Unavailable\nContent-Type: text/html\n\n<h1>Come back later</h1>", None),
        ("502 Bad Gateway\nContent-Type: text/html\n\n", None),
        (f"200 OK\n{JSON}\n\n[]", None),
        (f'200 OK\n{JSON}\n\n{{"access_token":', None),
    ],
)
async def test_a_token_endpoint_that_cannot_answer_now_is_transient(
    tmp_path: Path, answer: str, retry_after: float | None
) -> None:
    """Entra's own failures and a gateway's pages: nobody is parked for them, and Entra's wait is kept."""
    async with entra(tmp_path / "tls.pem", answer) as source:
        with pytest.raises(UnavailableError) as caught:
            await source.get_token("https://graph.microsoft.com/.default")
    assert caught.value.retry_after == retry_after


async def test_a_wrong_secret_is_refused_for_good(tmp_path: Path) -> None:
    """A refusal stays one, with its code."""
    body = '{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}'
    async with entra(tmp_path / "tls.pem", f"401 Unauthorized\n{JSON}\n\n{body}") as source:
        with pytest.raises(GraphRefusedError, match="401 AADSTS7000215"):
            await source.get_token("https://graph.microsoft.com/.default")


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable[[Cloud], TokenSource]]:
    path = str(certificate(tmp_path_factory.mktemp("certificate") / "app.pem"))
    return {
        "identity": lambda cloud: federated_identity(tenant_id=TENANT, app_id=APP, identity_client_id="i", cloud=cloud),
        "certificate": lambda cloud: client_certificate(tenant_id=TENANT, app_id=APP, path=path, cloud=cloud),
        "secret": lambda cloud: client_secret(tenant_id=TENANT, app_id=APP, secret="s", cloud=cloud),
    }


@pytest.mark.parametrize("kind", ["identity", "certificate", "secret"])
@pytest.mark.parametrize("cloud", CLOUDS)
async def test_each_kind_is_made_for_each_cloud(
    kind: str, cloud: str, kinds: dict[str, Callable[[Cloud], TokenSource]]
) -> None:
    """Making and closing a credential asks nothing of the network."""
    source = kinds[kind](CLOUDS[cloud])
    await source.close()


@pytest.mark.parametrize(
    ("code", "word"),
    [("AADSTS7000215", "secret"), ("AADSTS7000222", "secret"), ("AADSTS700027", "certificate"), ("AADSTS1", "doctor")],
)
def test_the_hint_of_a_refused_token_is_about_its_cause(code: str, word: str) -> None:
    """A wrong secret is mended in the settings; consent has nothing to do with it."""
    hint = GraphRefusedError(status=401, code=code).hint
    assert word in hint
    assert "consent" not in hint


async def test_an_address_that_does_not_answer_is_named() -> None:
    """For tokens and for Graph: a wrong XTSYNC_GRAPH_URL is the usual cause."""
    [port] = free_ports(1)
    base = f"http://127.0.0.1:{port}"
    credential = EmulatorCredential(base_url=base, tenant_id=TENANT, app_id="app", clock=SystemClock())
    with pytest.raises(UnavailableError, match=base):
        await credential.get_token("scope")
    await credential.close()
