"""The secrets of a local stack: made once, kept in files that only their owner reads."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.crypto.keyring import new_key_line

_PEPPER_BYTES = 32


@dataclass(frozen=True)
class SecretFiles:
    """Where the secrets are.

    Attributes:
        private_key: Ed25519 private key (PKCS8, PEM): the gateway signs identity tokens.
        public_key: Its public half (PEM), for the services.
        pepper: Key of the HMAC that API keys are stored as.
        data_keys: Root keys that stored voices are encrypted by.
        admin_key: API key with every scope; written when the gateway's database is ready.
    """

    private_key: Path
    public_key: Path
    pepper: Path
    data_keys: Path
    admin_key: Path


def write_private(path: Path, content: bytes) -> None:
    """Replaces a file in one step; at no time can another account read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.replace(path)


def ensure_secrets(folder: Path) -> SecretFiles:
    """Makes the secrets that are missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = SecretFiles(
        private_key=folder / "identity.pem",
        public_key=folder / "identity.pub.pem",
        pepper=folder / "key-pepper",
        data_keys=folder / "data-keys",
        admin_key=folder / "admin-key",
    )
    if not (files.private_key.exists() and files.public_key.exists()):
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        write_private(files.private_key, private)
        write_private(files.public_key, public)
    if not files.pepper.exists():
        write_private(files.pepper, secrets.token_bytes(_PEPPER_BYTES))
        # Keys hashed with another pepper are worth nothing.
        files.admin_key.unlink(missing_ok=True)
    if not files.data_keys.exists():
        write_private(files.data_keys, new_key_line("local-1").encode())
    return files
