"""What is found in the files of an image, as `docker save` writes them."""

import base64
import io
import json
import tarfile
from pathlib import Path

import pytest

from deploy.scan import images

BODY = base64.b64encode(bytes(range(54))).decode()
PRIVATE = f"-----BEGIN EC PRIVATE KEY-----\n{BODY}\n".encode()
KEY = b"sg_" + b"live_" + b"a" * 12 + b"_" + b"B" * 49


class Builder:
    """An archive of files with modes."""

    def __init__(self) -> None:
        self._file = io.BytesIO()
        self._archive = tarfile.open(fileobj=self._file, mode="w")  # noqa: SIM115 - closed below

    def add(self, name: str, content: bytes = b"", mode: int = 0o644) -> "Builder":
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), mode
        self._archive.addfile(member, io.BytesIO(content))
        return self

    def folder(self, name: str, mode: int = 0o755) -> "Builder":
        member = tarfile.TarInfo(name)
        member.type, member.mode = tarfile.DIRTYPE, mode
        self._archive.addfile(member)
        return self

    def link(self, name: str, target: str, kind: bytes) -> "Builder":
        member = tarfile.TarInfo(name)
        member.type, member.linkname, member.mode = kind, target, 0o777
        self._archive.addfile(member)
        return self

    def done(self) -> bytes:
        self._archive.close()
        return self._file.getvalue()


def found(tmp_path: Path, *layers: bytes, config: bytes = b"{}") -> tuple[int, list[str]]:
    saved = Builder().add("c.json", config)
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    for name, layer in zip(names, layers, strict=True):
        saved.add(name, layer)
    saved.add("manifest.json", json.dumps([{"Config": "c.json", "Layers": names}]).encode())
    path = tmp_path / "image.tar"
    path.write_bytes(saved.done())
    files, findings = images.read_image(path, "speechgate/asr:1")
    assert {one.where for one in findings} <= {"speechgate/asr:1"}
    return files, [one.what for one in findings]


def test_an_ordinary_image_is_clean(tmp_path: Path) -> None:
    layer = Builder().folder("tmp", 0o1777).folder("usr").add("usr/a.py", b"x = 1\n")
    layer.link("usr/b", "a.py", tarfile.SYMTYPE)
    assert found(tmp_path, layer.done()) == (3, [])


def test_modes_that_give_too_much(tmp_path: Path) -> None:
    layer = Builder().add("bin/su", mode=0o4755).add("bin/wall", mode=0o2755)
    layer.folder("var", 0o777).folder("var/mail", 0o2775).add("etc/a", mode=0o666)
    assert [what.rpartition(" ")[2] for what in found(tmp_path, layer.done())[1]] == [
        "/bin/su",
        "/bin/wall",
        "/etc/a",
        "/var",
    ]


def test_only_what_is_left_has_modes(tmp_path: Path) -> None:
    lower = Builder().add("bin/su", mode=0o4755).add("bin/wall", mode=0o2755)
    lower.add("opt/a/b", mode=0o666).add("srv/a", mode=0o666)
    upper = Builder().add("bin/su", mode=0o755).add("bin/.wh.wall").add("opt/.wh.a")
    upper.add("srv/.wh..wh..opq").add("srv/b")
    assert found(tmp_path, lower.done(), upper.done()) == (2, [])


def test_a_secret_that_was_deleted_is_still_in_a_layer(tmp_path: Path) -> None:
    lower, upper = Builder().add("app/identity.pem", PRIVATE), Builder().add("app/.wh.identity.pem")
    assert found(tmp_path, lower.done(), upper.done()) == (
        0,
        ["a private key: /app/identity.pem"],
    )


@pytest.mark.parametrize(
    "name", [".env", "app/.env.production", "root/.ssh/id_ed25519", "root/.netrc", "a/keys.p12"]
)
def test_files_of_secrets_are_known_by_name(name: str, tmp_path: Path) -> None:
    layer = Builder().add(name, b"")
    assert found(tmp_path, layer.done())[1] == [f"a file of secrets by its name: /{name}"]


@pytest.mark.parametrize("name", ["environment", "app/env.py", "a.environ", "id_rsa.py"])
def test_others_are_not(name: str, tmp_path: Path) -> None:
    assert found(tmp_path, Builder().add(name, b"").done())[1] == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PRIVATE, "a private key"),
        (b"key = " + KEY + b"\n", "an API key of speechgate"),
        (b"AKIA" + b"Q" * 16, "an AWS key"),
        (b"ghp" + b"_" + b"a" * 36, "a GitHub token"),
        (b"glpat" + b"-" + b"a" * 20, "a GitLab token"),
        (b"pypi" + b"-AgEI" + b"a" * 60, "a PyPI token"),
        (b"xoxb" + b"-" + b"1" * 12, "a Slack token"),
    ],
)
def test_secrets_are_known_by_their_text(content: bytes, kind: str, tmp_path: Path) -> None:
    layer = Builder().add("a.bin", b"\0\xff " + content)
    assert found(tmp_path, layer.done())[1] == [f"{kind}: /a.bin"]


@pytest.mark.parametrize(
    "content",
    [
        b"-----BEGIN PRIVATE KEY-----\n",
        b'"-----BEGIN RSA PRIVATE KEY-----" in text',
        b"sg_live_abc",
    ],
)
def test_what_only_speaks_of_secrets_is_none(content: bytes, tmp_path: Path) -> None:
    assert found(tmp_path, Builder().add("a.py", content).done())[1] == []


def test_a_secret_across_blocks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_BLOCK", 64)
    assert images.kinds_in(io.BytesIO(b"\n" * 50 + PRIVATE)) == {"a private key"}


def test_the_configuration_is_searched(tmp_path: Path) -> None:
    config = b'{"config": {"Env": ["KEY=' + KEY + b'"]}}'
    assert found(tmp_path, config=config)[1] == ["an API key of speechgate in its configuration"]
