"""The sign-in libraries and SDKs, unchanged, against the emulator with https: the examples of emulator/README.md."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import msal
import pytest
import yaml

from entra_graph_emulator import certificates
from entra_graph_emulator.certificates import LOCAL, certificate
from entra_graph_emulator.serving import Served, serving
from local.azurite import node

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "emulator" / "README.md").read_text(encoding="utf-8")
CONTOSO = "11111111-1111-1111-1111-111111111111"
SCOPE = "https://graph.microsoft.com/.default"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def block(language: str, about: str) -> str:
    """The only one that has these words."""
    [found] = [each for each in blocks(language) if about in each]
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With the people of the page."""
    with serving(tls=tmp_path_factory.mktemp("tls")) as served:
        served.control("POST", "/seed", yaml.safe_load(block("yaml", "tenants")))
        yield served


@pytest.fixture
def get(served: Served, trusted: None) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url) as client:
        yield client


def trust(served: Served) -> dict[str, str]:
    """The variables of the page."""
    return dict.fromkeys(re.findall(r"([A-Z_]+)=tls/ca\.pem", README), str(served.root))


@pytest.fixture
def trusted(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in trust(served).items():
        monkeypatch.setenv(name, value)


async def run(served: Served, *command: str, cwd: Path = ROOT) -> str:
    """With `{}` for the code of the page, and the port of the test for that of the page."""
    process = await asyncio.create_subprocess_exec(
        *(each.replace("https://localhost:8443", served.url) for each in command),
        cwd=cwd,
        env={**os.environ, **trust(served)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)  # a hang, not a slow machine
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.mark.parametrize(
    ("about", "said"), [("import msal", "Bearer\n"), ("ClientSecretCredential", "Ada Lovelace Engineer\n")]
)
async def test_the_python_examples_run(served: Served, about: str, said: str) -> None:
    """MSAL alone, and azure-identity with the typed SDK: only the addresses and the trust are set."""
    assert await run(served, sys.executable, "-W", "ignore", "-c", block("python", about)) == said


async def test_the_javascript_example_runs(served: Served) -> None:
    """The way of the SDK's own README: its authentication sends the token, as the address is https."""
    code = block("js", "customHosts")
    out = await run(served, str(node()), "--input-type=module", "-e", code, cwd=ROOT / "local" / "azurite")
    assert out == "Ada Lovelace Engineer\n"


@pytest.mark.parametrize("tenant", [CONTOSO, "contoso.com"])
@pytest.mark.parametrize("discovery", [False, True])
def test_msal_finds_the_token_endpoint(served: Served, trusted: None, tenant: str, discovery: bool) -> None:
    """By the id of the tenant and by a domain; without a question about the instance, and with one. Graph takes it."""
    asked: Any = f"{served.url}/common/discovery/instance" if discovery else False
    app = msal.ConfidentialClientApplication(
        "demo", client_credential="any", authority=f"{served.url}/{tenant}", instance_discovery=asked
    )
    token = app.acquire_token_for_client([SCOPE])
    assert token is not None
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    answer = httpx.get(f"{served.url}/v1.0/users/ada@contoso.com", headers=headers)
    assert (answer.status_code, answer.json()["displayName"]) == (200, "Ada Lovelace")


def test_msal_says_that_a_tenant_is_not_there(served: Served, trusted: None) -> None:
    """Its own text, after the error AADSTS90002 of the discovery."""
    with pytest.raises(ValueError, match=r"Unable to get authority configuration"):
        msal.ConfidentialClientApplication(
            "demo", client_credential="any", authority=f"{served.url}/nobody.com", instance_discovery=False
        )


# Source: https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc


def test_the_metadata_of_a_tenant_name_its_id(served: Served, get: httpx.Client) -> None:
    """Whichever name the question had; each address begins with that of the emulator."""
    found = get.get("/contoso.com/v2.0/.well-known/openid-configuration").json()
    assert found["token_endpoint"] == f"{served.url}/{CONTOSO}/oauth2/v2.0/token"
    assert found["issuer"].endswith(f"/{CONTOSO}/v2.0")
    assert get.get(found["jwks_uri"]).json() == {"keys": []}
    shared = get.get("/common/v2.0/.well-known/openid-configuration").json()
    assert shared["issuer"].endswith("/{tenantid}/v2.0")


def test_the_metadata_of_an_unknown_tenant_are_refused(get: httpx.Client) -> None:
    """As Entra refuses them."""
    answer = get.get("/nobody.com/v2.0/.well-known/openid-configuration")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_tenant")
    assert answer.json()["error_description"].startswith("AADSTS90002: Tenant 'nobody.com' not found.")


@pytest.mark.parametrize("authority", ["https://login.example.com/x/oauth2/v2.0/authorize", "http://localhost/x", ""])
def test_another_instance_is_unknown(get: httpx.Client, authority: str) -> None:
    """MSAL reads invalid_instance, and says that the authority is not known."""
    answer = get.get("/common/discovery/instance", params={"authorization_endpoint": authority})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_instance")


def test_a_certificate_is_kept_until_it_does_not_fit(tmp_path: Path) -> None:
    """A client that trusted it once goes on, until a name is added, its life ends or a file breaks."""
    first = certificate(tmp_path).root.read_bytes()
    assert certificate(tmp_path).root.read_bytes() == first
    named = certificate(tmp_path, [*LOCAL, "graph.test"]).root.read_bytes()
    assert named != first
    assert certificate(tmp_path, [*LOCAL, "graph.test"]).root.read_bytes() == named
    (tmp_path / "server.pem").write_text("broken")
    broken = certificate(tmp_path, [*LOCAL, "graph.test"]).root.read_bytes()
    assert broken != named
    with patch.object(certificates, "datetime", wraps=datetime) as late:
        late.now.return_value = datetime.now(UTC) + timedelta(days=359)
        assert certificate(tmp_path, [*LOCAL, "graph.test"]).root.read_bytes() != broken


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    """And there is no other: that of the root is forgotten, so nobody can make a second certificate with it."""
    made = certificate(tmp_path)
    assert made.server.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.pem", "server.pem"]
    assert b"PRIVATE" not in made.root.read_bytes()
