"""What the doctor says of settings, secrets and the machine."""

import json
import os
import resource
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from gateway.doctor.findings import Finding, Level
from gateway.doctor.installation import find_installation
from gateway.doctor.machine import check_descriptors, check_folders
from gateway.doctor.secrets import check_secrets
from gateway.settings import GatewaySettings

PEPPER = "0123456789abcdef" * 4


def pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey, password: str = "") -> bytes:
    encryption = (
        serialization.BestAvailableEncryption(password.encode())
        if password
        else serialization.NoEncryption()
    )
    pkcs8 = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, pkcs8, encryption)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GatewaySettings:
    """All is well."""
    for name in list(os.environ):
        if name.startswith("SPEECHGATE_"):
            monkeypatch.delenv(name)
    for name, content in (
        ("pepper", PEPPER.encode()),
        ("identity.pem", pem(ed25519.Ed25519PrivateKey.generate())),
    ):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    return GatewaySettings(
        database_url=f"sqlite+aiosqlite:///{tmp_path}/gateway.db",
        key_pepper_file=tmp_path / "pepper",
        identity_private_key_file=tmp_path / "identity.pem",
    )


def bad(found: list[Finding] | tuple[Finding, ...]) -> list[tuple[str, Level]]:
    assert all(one.mend for one in found if one.level is not Level.OK)
    return [(one.check, one.level) for one in found if one.level is not Level.OK]


def test_good_secrets(settings: GatewaySettings) -> None:
    found = list(check_secrets(settings))
    assert bad(found) == []
    assert PEPPER not in str(found)


@pytest.mark.parametrize(
    ("content", "level"),
    [(b"short", Level.ERROR), (b"a" * 64, Level.WARNING), (b"0123456789abcdefgh", Level.WARNING)],
)
def test_a_weak_pepper(settings: GatewaySettings, content: bytes, level: Level) -> None:
    settings.key_pepper_file.write_bytes(content)
    found = list(check_secrets(settings))
    assert bad(found) == [("key pepper 1", level)]
    assert content.decode() not in str(found).replace("easy to guess", "")


def test_a_secret_that_everybody_can_read(settings: GatewaySettings) -> None:
    settings.key_pepper_file.chmod(0o644)
    assert bad(list(check_secrets(settings))) == [("key pepper 1", Level.WARNING)]


def test_secrets_that_are_missing(settings: GatewaySettings, tmp_path: Path) -> None:
    missing = settings.model_copy(
        update={
            "key_previous_pepper_files": {7: tmp_path / "none"},
            "unleash_token_file": tmp_path / "none",
        }
    )
    settings.identity_private_key_file.unlink()
    assert sorted(bad(list(check_secrets(missing)))) == [
        ("Unleash token", Level.ERROR),
        ("identity key", Level.ERROR),
        ("key pepper 7", Level.ERROR),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(ed25519.Ed25519PrivateKey.generate(), "hunter2"),
    ],
    ids=["empty", "garbage", "another kind", "with a password"],
)
def test_an_identity_key_of_no_use(settings: GatewaySettings, content: bytes) -> None:
    settings.identity_private_key_file.write_bytes(content)
    assert bad(list(check_secrets(settings))) == [("identity key", Level.ERROR)]


def test_settings_of_the_environment_come_first(
    settings: GatewaySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPEECHGATE_DATABASE_URL", "sqlite+aiosqlite:////data/x.db")
    monkeypatch.setenv("SPEECHGATE_KEY_PEPPER_FILE", str(settings.key_pepper_file))
    monkeypatch.setenv(
        "SPEECHGATE_IDENTITY_PRIVATE_KEY_FILE", str(settings.identity_private_key_file)
    )
    monkeypatch.setenv("SPEECHGATE_HOST", "0.0.0.0")  # noqa: S104 - as in a container
    monkeypatch.setenv("SPEECHGATE_SPOOL_DIR", "/var/spool/x")
    installation, found = find_installation(tmp_path)
    assert installation is not None
    assert bad(found) == []
    assert installation.gateway_url == "http://127.0.0.1:8000"
    assert installation.folders == (Path("/var/spool/x"), Path("/data"))

    monkeypatch.setenv("SPEECHGATE_ADMIN_HOST", "::")
    monkeypatch.setenv("SPEECHGATE_ADMIN_PORT", "9000")
    with_admin_port, _ = find_installation(tmp_path)

    assert with_admin_port is not None
    assert with_admin_port.gateway_url == "http://127.0.0.1:9000"

    monkeypatch.setenv("SPEECHGATE_ADMIN_PORT", "8000")
    none, findings = find_installation(tmp_path)

    assert none is None
    assert "admin_port and port must differ" in findings[0].says


def test_a_local_stack_is_found_by_its_folder(settings: GatewaySettings, tmp_path: Path) -> None:
    stack = {
        "gateway_url": "http://127.0.0.1:4711",
        "services": {"asr": ["http://a:1", "http://b:2"], "tts": ["http://t:1"], "nlp": []},
        "databases": {"gateway": settings.database_url},
        "redis_url": None,
        "key_pepper_file": str(settings.key_pepper_file),
        "identity_private_key_file": str(settings.identity_private_key_file),
    }
    (tmp_path / "stack.json").write_text(json.dumps(stack))
    installation, found = find_installation(tmp_path)
    assert installation is not None
    assert bad(found) == []
    assert installation.settings.asr_urls == "http://a:1,http://b:2"
    assert (installation.settings.redis_url, installation.settings.nlp_urls) == ("", "")
    assert installation.gateway_url == "http://127.0.0.1:4711"


def test_settings_that_are_wrong_are_named_without_their_values(
    settings: GatewaySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings
    monkeypatch.setenv("SPEECHGATE_DATABASE_URL", "postgresql+asyncpg://u:hunter2@host/db")
    monkeypatch.setenv("SPEECHGATE_MAX_IN_FLIGHT", "hunter3")
    installation, found = find_installation(tmp_path)
    assert installation is None
    text = str(found)
    assert "SPEECHGATE_MAX_IN_FLIGHT" in text
    assert "SPEECHGATE_KEY_PEPPER_FILE" in text
    assert "hunter" not in text
    monkeypatch.setenv("SPEECHGATE_KEY_PREVIOUS_PEPPER_FILES", "{hunter4")
    installation, found = find_installation(tmp_path)
    assert installation is None
    assert bad(found) == [("settings", Level.ERROR)]
    assert "hunter" not in str(found)


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = tmp_path / "not" / "yet" / "there"
    real = os.statvfs(tmp_path)

    def left(size: int) -> list[tuple[str, Level]]:
        sizes = list(real)
        sizes[4] = size // real.f_frsize
        monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(sizes))
        return bad(list(check_folders([spool])))

    assert left(50 << 30) == []
    assert left(500 << 20) == [(f"folder {spool}", Level.WARNING)]
    assert left(5 << 20) == [(f"folder {spool}", Level.ERROR)]
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert left(50 << 30) == [(f"folder {spool}", Level.ERROR)]


def test_descriptors(settings: GatewaySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, expected in ((1024, [("file descriptors", Level.WARNING)]), (1_048_576, [])):
        monkeypatch.setattr(resource, "getrlimit", lambda _, limit=limit: (limit, limit))
        assert bad(list(check_descriptors(settings))) == expected
