"""Builds the image of each deployable, and says how large it is over its base."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from deploy.docker.commands import PROJECT, Docker, DockerError, run

FOLDER = PROJECT / "deploy" / "docker"
NAMES = ("gateway", "asr", "tts", "nlp", "triton")
GATEWAY_GOAL = 200 * 10**6
"""Most that the gateway may add to its base, in bytes."""

_BUILD_TIMEOUT_S = 1800.0
_BASE_TIMEOUT_S = 900.0
_ARGUMENT = re.compile(r"(?m)^ARG ([A-Z_]+)=(\S+)$")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_OWN_CERTIFICATES = Path("/usr/local/share/ca-certificates/machine.crt")
_BASE_PACKAGES = ("python3", "python3-venv", "ca-certificates")
_BASE = "speechgate-standin/debian:12.0-debootstrap"
_KEEP_NOTHING = """\
APT::Keep-Downloaded-Packages "false";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""
_MIRRORS = {
    "DEBIAN_MIRROR": "http://deb.debian.org/debian",
    "DEBIAN_SECURITY_MIRROR": "http://deb.debian.org/debian-security",
}


def version() -> str:
    """The project's version, which its images are tagged with."""
    found = re.search(r'(?m)^version = "([^"]+)"$', (PROJECT / "pyproject.toml").read_text())
    if found is None:
        raise DockerError("pyproject.toml names no version")
    return found[1]


def tag(name: str) -> str:
    """The tag of a deployable's image, as the compose file has it."""
    return f"speechgate/{name}:{version()}"


def base_of(name: str) -> str:
    """The public image that a Dockerfile starts from, unless told otherwise."""
    found = dict(_ARGUMENT.findall((FOLDER / f"{name}.Dockerfile").read_text()))
    return str(found["TRITON_IMAGE" if name == "triton" else "PYTHON_IMAGE"])


def public_images() -> dict[str, str]:
    """Image by service, of those that the compose file takes from elsewhere."""
    text = (PROJECT / "docker-compose.yml").read_text()
    found = re.findall(r"(?m)^    image: \$\{([A-Z]+)_IMAGE:-([^}]+)\}$", text)
    return {name.lower(): image for name, image in found}


def revision() -> str:
    """The commit that is built, `-dirty` where files differ from it; unknown outside a clone."""
    try:
        return run(["git", "describe", "--always", "--dirty", "--abbrev=40"], 20.0).strip()
    except DockerError:
        return "unknown"


@dataclass(frozen=True)
class Image:
    """One image that was built.

    Attributes:
        name: Of the deployable.
        size: Bytes, its base included.
        added: Bytes over its base.
    """

    name: str
    size: int
    added: int


class Builder:
    """Builds on one engine.

    Args:
        docker: Its client.
        folder: Of logs and of what a base is made in.
        standins: Whether the public images are stood in for by ones made on the spot.
    """

    def __init__(self, docker: Docker, folder: Path, *, standins: bool) -> None:
        self._docker = docker
        self._folder = folder
        self._standins = standins
        self._log = folder / "build.log"

    def build(self) -> list[Image]:
        """Builds what is missing of the bases, then every deployable."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._log.unlink(missing_ok=True)
        if self._standins:
            self._make_python(base_of("gateway"))
            self._make("triton", base_of("triton"))
        marks = {"VERSION": version(), "REVISION": revision()}
        built = []
        # Debian's Python has a wheel of everything.
        compiled = {"BUILD_PACKAGES": ""} if self._standins else {}
        for name in NAMES:
            more = compiled if name == "triton" else {}
            self._run(FOLDER / f"{name}.Dockerfile", tag(name), {**marks, **more})
            size = self._docker.size(tag(name))
            built.append(Image(name, size, size - self._docker.size(base_of(name))))
        return built

    def build_others(self) -> None:
        """Stands in for what else the compose file starts, save Grafana."""
        if not self._standins:
            return
        for name, image in public_images().items():
            if name in ("prometheus", "alertmanager"):
                package = {"alertmanager": "prometheus-alertmanager"}.get(name, name)
                self._make("prometheus", image, {"PROGRAM": name, "PACKAGE": package})
            elif name != "grafana":
                self._make(name, image)

    def _run(self, dockerfile: Path, image: str, arguments: dict[str, str]) -> None:
        print(f"building {image} …", flush=True)
        command = ["build", "--file", str(dockerfile), "--tag", image]
        if self._standins:
            command += ["--network", "host"]
        for name, value in arguments.items():
            command += ["--build-arg", f"{name}={value}"]
        self._docker(*command, str(PROJECT), timeout_s=_BUILD_TIMEOUT_S, log=self._log)

    def _make(self, name: str, image: str, arguments: dict[str, str] | None = None) -> None:
        base = {"BASE_IMAGE": base_of("gateway")}
        dockerfile = FOLDER / "standin" / f"{name}.Dockerfile"
        self._run(dockerfile, image, {**base, **(arguments or {})})

    def _make_python(self, image: str) -> None:
        """Debian with its own Python, tagged like the public image of Python."""
        if self._docker.has(image):
            return
        print(f"making a stand-in for {image} …", flush=True)
        root = self._folder / "debian"
        if not (root / "complete").exists():
            run(["rm", "-rf", "--one-file-system", str(root)], _BASE_TIMEOUT_S)
            archive, security = (os.environ.get(name, url) for name, url in _MIRRORS.items())
            packages = ",".join(_BASE_PACKAGES)
            command = ["debootstrap", "--variant=minbase", f"--include={packages}", "bookworm"]
            run([*command, str(root), archive], _BASE_TIMEOUT_S, log=self._log)
            suites = (("", archive), ("-updates", archive), ("-security", security))
            lines = [f"deb {url} bookworm{suite} main\n" for suite, url in suites]
            (root / "etc/apt/sources.list").write_text("".join(lines))
            (root / "etc/apt/apt.conf.d/image").write_text(_KEEP_NOTHING)
            for package in (root / "var/cache/apt/archives").glob("*.deb"):
                package.unlink()
            for link in ("python", "python3"):
                (root / "usr/local/bin" / link).symlink_to("/usr/bin/python3")
            # A network that inspects TLS has an authority of its own; builds need it as well. An
            # update of the authorities makes the first file anew, from the second among others.
            for path in (_CERTIFICATES, _OWN_CERTIFICATES):
                (root / path.relative_to("/")).write_bytes(_CERTIFICATES.read_bytes())
            (root / "complete").touch()
        self._import(root, _BASE)
        # The public image is built again when Debian has updates.
        self._make("python", image, {"BASE_IMAGE": _BASE})

    def _import(self, root: Path, image: str) -> None:
        """Imports a folder as an image."""
        trusted = [f"ENV {name}={_CERTIFICATES}" for name in ("PIP_CERT", "NODE_EXTRA_CA_CERTS")]
        changes = [*trusted, "ENV LANG=C.UTF-8", 'CMD ["python3"]']
        options = [part for change in changes for part in ("--change", change)]
        archive = self._folder / "debian.tar"
        try:
            pack = ["tar", "--numeric-owner", "--exclude=./complete", "-C", str(root)]
            run([*pack, "-cf", str(archive), "."], _BASE_TIMEOUT_S)
            self._docker("import", *options, str(archive), image, timeout_s=_BASE_TIMEOUT_S)
        finally:
            archive.unlink(missing_ok=True)


def report(images: list[Image]) -> bool:
    """Prints the sizes; whether the gateway keeps to its goal."""
    print(f"\n{'image':<10} {'MB':>7} {'over its base':>14}")
    for image in images:
        print(f"{image.name:<10} {image.size / 1e6:7.0f} {image.added / 1e6:14.0f}")
    gateway = next(image for image in images if image.name == "gateway")
    kept = gateway.added <= GATEWAY_GOAL
    goal = f"{GATEWAY_GOAL / 1e6:.0f} MB"
    print(f"\nthe gateway is {'within' if kept else 'NOT within'} {goal} over its base")
    return kept
