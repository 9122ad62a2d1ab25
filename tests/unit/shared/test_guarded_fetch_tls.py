"""The guarded fetch over TLS: the certificate is that of the name, not of the address."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.ssrf import UriUnreachable
from tests.support.fetching import fetcher, reply, server


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for a name, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public = signed.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(private + public)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(folder / "server.pem")
    trusting = ssl.create_default_context(cadata=public.decode())
    return serving, trusting


async def test_tls_is_checked_against_the_name_not_the_address(tmp_path: Path) -> None:
    serving, trusting = certificate(tmp_path, "store.example")
    async with (
        server(reply(b"audio"), serving) as port,
        fetcher(port, ssl_context=trusting) as fetching,
    ):
        assert await fetching.fetch(f"https://store.example:{port}/") == b"audio"
        with pytest.raises(UriUnreachable):
            await fetching.fetch(f"https://other.example:{port}/")


async def test_an_untrusted_certificate_is_refused(tmp_path: Path) -> None:
    serving, _ = certificate(tmp_path, "store.example")
    async with server(reply(b"audio"), serving) as port, fetcher(port) as fetching:
        with pytest.raises(UriUnreachable):
            await fetching.fetch(f"https://store.example:{port}/")
