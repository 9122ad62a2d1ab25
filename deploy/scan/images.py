"""The files of the images in a local engine: secrets in any layer, modes in what is left."""

import json
import re
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from deploy.docker.commands import Docker
from deploy.scan.built import each_image
from deploy.scan.report import Finding, Outcome
from deploy.scan.tools import NotScannedError

NAME = "image"
_SAVE_TIMEOUT_S = 900.0
_BLOCK = 16 * 2**20
_OVERLAP = 4096
_REMOVED = ".wh."
_EMPTIED = ".wh..wh..opq"

SECRET_NAMES = re.compile(
    r"(^|/)(\.env(\.[^/]+)?|id_(rsa|dsa|ecdsa|ed25519)|\.netrc|\.pypirc|\.npmrc|\.git-credentials"
    r"|\.htpasswd|\.(bash|python|psql)_history|[^/]+\.(p12|pfx|kdbx|jks)"
    r"|\.aws/credentials|\.docker/config\.json|\.kube/config|\.git/config)$"
)
# What each begins with is looked for first: most files have none of them.
SECRET_TEXTS = {
    "a private key": (
        b"PRIVATE KEY-----",
        rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[\w+/=:\s,-]{64}",
    ),
    "an API key of speechgate": (b"sg_live_", rb"\bsg_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\b"),
    "an AWS key": (b"AKIA", rb"\bAKIA[0-9A-Z]{16}\b"),
    "a GitHub token": (b"gh", rb"\b(gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{82})\b"),
    "a GitLab token": (b"glpat-", rb"\bglpat-[\w-]{20}\b"),
    "a PyPI token": (b"pypi-", rb"\bpypi-AgEI[\w-]{50,}"),
    "a Slack token": (b"xox", rb"\bxox[abeoprs]-[0-9A-Za-z-]{10,}\b"),
}
_TEXTS = {name: (begin, re.compile(text)) for name, (begin, text) in SECRET_TEXTS.items()}


@dataclass
class Layer:
    """One layer of an image.

    Attributes:
        modes: Mode by path, of regular files and folders; None of other kinds.
        removed: Paths that it takes away.
        emptied: Folders of which it keeps nothing.
        secrets: Path and kind.
    """

    modes: dict[str, int | None] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)
    secrets: list[tuple[str, str]] = field(default_factory=list)


def kinds_in(file: IO[bytes]) -> set[str]:
    """The kinds of secrets that a file has."""
    found = set()
    rest = b""
    while block := file.read(_BLOCK):
        text = rest + block
        found |= {
            name for name, (begin, full) in _TEXTS.items() if begin in text and full.search(text)
        }
        rest = text[-_OVERLAP:]
    return found


def read_layer(archive: tarfile.TarFile) -> Layer:
    """What a layer brings and takes away."""
    layer = Layer()
    for member in archive:
        path = PurePosixPath("/", member.name)
        if path.name == _EMPTIED:
            layer.emptied.add(str(path.parent))
        elif path.name.startswith(_REMOVED):
            layer.removed.add(str(path.with_name(path.name.removeprefix(_REMOVED))))
        else:
            layer.modes[str(path)] = _mode(member)
            if member.isreg():
                layer.secrets += [(str(path), kind) for kind in _kinds(archive, member)]
    return layer


def _mode(member: tarfile.TarInfo) -> int | None:
    if member.isreg() or member.islnk():
        return member.mode | stat.S_IFREG
    return member.mode | stat.S_IFDIR if member.isdir() else None


def _kinds(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[str]:
    if SECRET_NAMES.search(member.name):
        yield "a file of secrets by its name"
    file = archive.extractfile(member)
    if file is not None:
        yield from sorted(kinds_in(file))


def merge(layers: list[Layer]) -> dict[str, int]:
    """The modes of what is left, once every layer lies on those below it."""
    left: dict[str, int | None] = {}
    for layer in layers:
        gone = layer.removed | layer.emptied
        if gone:
            left = {path: mode for path, mode in left.items() if not _is_gone(path, layer)}
        left |= layer.modes
    return {path: mode for path, mode in left.items() if mode is not None}


def _is_gone(path: str, layer: Layer) -> bool:
    above = [str(parent) for parent in PurePosixPath(path).parents]
    return not layer.removed.isdisjoint([path, *above]) or not layer.emptied.isdisjoint(above)


def objection(mode: int) -> str:
    """What is wrong with a mode; empty where nothing is."""
    folder = stat.S_ISDIR(mode)
    if not folder and mode & (stat.S_ISUID | stat.S_ISGID):
        return "runs with the rights of its owner or group (setuid, setgid)"
    # In a folder like /tmp nobody can take away what is another's.
    if mode & stat.S_IWOTH and not (folder and mode & stat.S_ISVTX):
        return "everybody may write to it"
    return ""


def read_image(path: Path, of: str) -> tuple[int, list[Finding]]:
    """The number of files of a saved image, and the findings."""
    with tarfile.open(path) as saved:
        manifest = json.loads(_member(saved, "manifest.json").read())[0]
        layers = []
        for name in manifest["Layers"]:
            with tarfile.open(fileobj=_member(saved, name)) as archive:
                layers.append(read_layer(archive))
        # Variables, and the commands that built it with their arguments.
        made = sorted(kinds_in(_member(saved, manifest["Config"])))
    found = [Finding(NAME, of, f"{kind} in its configuration") for kind in made]
    secrets = dict.fromkeys(secret for layer in layers for secret in layer.secrets)
    found += [Finding(NAME, of, f"{kind}: {file}") for file, kind in secrets]
    modes = merge(layers)
    found += [
        Finding(NAME, of, f"{wrong}: {file}")
        for file, mode in sorted(modes.items())
        if (wrong := objection(mode))
    ]
    return len(modes), found


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
    if file is None:
        raise tarfile.ReadError(f"{name} is no file")
    return file


def scan(folder: Path, wanted: str | None) -> Iterator[Outcome]:
    """Scans the images of an engine; the folder is for files on the way.

    Args:
        folder: On a disk with room for the largest image.
        wanted: The engine, as for `make images`.
    """
    path = folder / "image.tar"

    def look(docker: Docker, image: str) -> tuple[str, list[Finding]]:
        try:
            docker("save", "--output", str(path), image, timeout_s=_SAVE_TIMEOUT_S)
            files, found = read_image(path, image)
        except tarfile.TarError as error:
            raise NotScannedError(str(error)) from None
        finally:
            path.unlink(missing_ok=True)
        return f"{files} files", found

    return each_image(NAME, wanted, look)
