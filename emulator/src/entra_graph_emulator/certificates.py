"""A certificate for `https` on this machine, with a root that clients can be told to trust. Needs `cryptography`.

The key of the root is forgotten at once: whoever trusts the root trusts this server, and nobody can add another one.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_LIFE: Final = timedelta(days=365)
_LEAST: Final = timedelta(days=7)  # with less life left, a new one is made
_USES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """`root` is for clients, as PEM; `server` holds the server's certificate and its key, for the owner alone."""

    root: Path
    server: Path

    def context(self) -> ssl.SSLContext:
        """Raises ssl.SSLError and OSError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        return context


def certificate(folder: Path, names: Sequence[str] = LOCAL) -> Certificate:
    """The one in `folder` if it has these names and some days to live, else a new one. Raises OSError."""
    there = Certificate(root=folder / "ca.pem", server=folder / "server.pem")
    if not _usable(there, names):
        folder.mkdir(parents=True, exist_ok=True)
        root, server = _made(names)
        there.server.unlink(missing_ok=True)
        there.server.touch(mode=0o600)
        there.server.write_bytes(server)
        there.root.write_bytes(root)
    return there


def _usable(there: Certificate, names: Sequence[str]) -> bool:
    if not (there.root.is_file() and there.server.is_file()):
        return False
    try:
        root, server = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (there.root, there.server))
        server.verify_directly_issued_by(root)
        named = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # noqa: BLE001 - what cannot be read is replaced, whatever is wrong with it
        return False
    return named == _alternatives(names) and server.not_valid_after_utc > datetime.now(UTC) + _LEAST


def _made(names: Sequence[str]) -> tuple[bytes, bytes]:
    """The root, and the server's certificate with its key, as PEM."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name("Entra Graph emulator root")
    root = (
        _builder(issuer, issuer, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    server = (
        _builder(_name("Entra Graph emulator"), issuer, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_alternatives(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return root.public_bytes(Encoding.PEM), server.public_bytes(Encoding.PEM) + secret


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # the clocks of containers differ
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in uses for use in _USES})


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternatives(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative(name) for name in dict.fromkeys(names)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
