"""Keys and secrets: there, of their kind, strong, and nobody else's to read."""

import stat
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.doctor.findings import Finding, error, ok, warning
from gateway.services.hashing import MIN_PEPPER_BYTES
from gateway.settings import GatewaySettings

_GOOD_PEPPER_BYTES, _GOOD_VARIETY = 32, 8
_NEW_PEPPER = (
    "Make another one (openssl rand -hex 32), give it the next SPEECHGATE_KEY_PEPPER_VERSION, and "
    "keep this one in SPEECHGATE_KEY_PREVIOUS_PEPPER_FILES: its keys stay valid."
)
_KEY = "openssl genpkey -algorithm ed25519 makes one; services get its public half."


def check_secrets(settings: GatewaySettings) -> Sequence[Finding]:
    """Every secret file of the gateway; blocking, for some files lie on a network."""
    peppers = {**settings.key_previous_pepper_files}
    peppers[settings.key_pepper_version] = settings.key_pepper_file
    found = [finding for version, path in peppers.items() for finding in _pepper(version, path)]
    found += _identity_key(settings.identity_private_key_file)
    if settings.unleash_token_file is not None:
        found += _token(settings.unleash_token_file)
    return found


def _pepper(version: int, path: Path) -> list[Finding]:
    check = f"key pepper {version}"
    content = _read(path)
    if content is None:
        return [_unreadable(check, path)]
    pepper = content.strip()
    if len(pepper) < MIN_PEPPER_BYTES:
        says = f"{len(pepper)} bytes; the gateway wants {MIN_PEPPER_BYTES}"
        return [error(check, says, _NEW_PEPPER)]
    if len(pepper) < _GOOD_PEPPER_BYTES or len(set(pepper)) < _GOOD_VARIETY:
        says = f"{len(pepper)} bytes, {len(set(pepper))} of them different: easy to guess"
        return [warning(check, says, _NEW_PEPPER), *_exposed(check, path)]
    return [ok(check, f"{len(pepper)} bytes"), *_exposed(check, path)]


def _identity_key(path: Path) -> list[Finding]:
    check = "identity key"
    content = _read(path)
    if content is None:
        return [_unreadable(check, path)]
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return [error(check, "no private key in PEM, or one with a password", _KEY)]
    if not isinstance(key, Ed25519PrivateKey):
        return [error(check, f"not Ed25519 but {type(key).__name__.strip('_')}", _KEY)]
    return [ok(check, "Ed25519"), *_exposed(check, path)]


def _token(path: Path) -> list[Finding]:
    check = "Unleash token"
    content = _read(path)
    if content is None:
        return [_unreadable(check, path)]
    if not content.strip():
        return [error(check, "the file is empty", "Put a backend token of Unleash into it.")]
    return [ok(check, "there is one"), *_exposed(check, path)]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _unreadable(check: str, path: Path) -> Finding:
    there = path.exists()
    says = f"{path} cannot be read" if there else f"{path} does not exist"
    mend = (
        "Let the gateway's account read it." if there else "Put it there, or correct the setting."
    )
    return error(check, says, mend)


def _exposed(check: str, path: Path) -> list[Finding]:
    if not path.stat().st_mode & stat.S_IROTH:
        return []
    return [warning(check, f"every account of this machine can read {path}", "chmod o-r")]
