"""The images: non-root, pinned, of their own requirements alone, and built without BuildKit."""

import re
from pathlib import Path

import pytest

from deploy.docker.images import NAMES, base_of

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy/docker"
FILES = sorted(str(path.relative_to(ROOT)) for path in FOLDER.rglob("*.Dockerfile"))


def _instructions(path: str) -> list[str]:
    """The instructions of a Dockerfile, each on one line, without comments."""
    lines = [line for line in (ROOT / path).read_text().splitlines() if not re.match(r"\s*#", line)]
    return [line for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines() if line]


def _of(path: str, name: str) -> list[str]:
    return [
        line.split(maxsplit=1)[1] for line in _instructions(path) if line.startswith(f"{name} ")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_deployable_has_an_image(name: str) -> None:
    path = f"deploy/docker/{name}.Dockerfile"
    assert path in FILES
    assert len(_of(path, "FROM")) == 2
    assert _of(path, "USER") == ["10001:10001"]
    assert _instructions(path)[-1].startswith("CMD [")
    assert _of(path, "ENTRYPOINT")[0].startswith("[")
    assert "CMD [" in _of(path, "HEALTHCHECK")[0]
    assert _of(path, "STOPSIGNAL") == ["SIGTERM"]
    # Programs of the base that run with the rights of root.
    assert _of(path, "RUN")[-1].endswith("&& find / -xdev -type f -perm /6000 -exec chmod a-s {} +")
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in _of(path, "LABEL")[0]


@pytest.mark.parametrize("path", FILES)
def test_bases_are_pinned_by_an_argument(path: str) -> None:
    argument, value = _instructions(path)[0].removeprefix("ARG ").split("=")
    assert re.search(r":\d+\.\d+[\w.-]*$", value), value
    bases = {line.split()[0] for line in _of(path, "FROM")}
    assert bases == {f"${{{argument}}}"}


@pytest.mark.parametrize("path", FILES)
def test_the_legacy_builder_understands_it(path: str) -> None:
    text = (ROOT / path).read_text()
    assert not text.startswith("# syntax")
    assert "--mount" not in text
    assert "<<" not in text
    assert not re.search(r"(COPY|ADD) .*--(chmod|link|parents)", text)
    assert not _of(path, "ADD")


@pytest.mark.parametrize("path", FILES)
def test_what_is_installed_has_a_hash(path: str) -> None:
    for run in _of(path, "RUN"):
        for command in re.findall(r"-m pip [^&;]*install[^&;]*", run):
            if "uninstall" not in command:
                assert "--require-hashes" in command


@pytest.mark.parametrize("path", FILES)
def test_what_is_copied_exists_and_is_in_the_context(path: str) -> None:
    allowed = re.findall(r"(?m)^!(\S+)$", (ROOT / ".dockerignore").read_text())
    for line in _of(path, "COPY"):
        if line.startswith("--from"):
            continue
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(source == one or source.startswith(f"{one}/") for one in allowed), source


@pytest.mark.parametrize("name", [name for name in NAMES if name != "triton"])
def test_an_image_has_its_own_requirements_and_code_alone(name: str) -> None:
    text = (FOLDER / f"{name}.Dockerfile").read_text()
    assert set(re.findall(r"requirements/([\w-]+)\.txt", text)) == {name}
    others = [other for other in ("gateway", "asr", "tts", "nlp") if other != name]
    assert not any(re.search(rf"COPY (services/)?{other} ", text) for other in others)
    assert base_of(name) == base_of("gateway")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "triton"])
def test_an_image_has_the_updates_that_its_base_lacks(name: str) -> None:
    # Triton's base has packages of its publisher, which fit one another as they are.
    assert " apt-get upgrade -y " in _of(f"deploy/docker/{name}.Dockerfile", "RUN")[-1]


def test_triton_gets_everything_its_launcher_imports() -> None:
    text = (FOLDER / "triton.Dockerfile").read_text()
    copied = set(re.findall(r"deploy/local/(\w+)\.py", text)) - {"__init__"}
    needed, todo = set(), ["deploy/docker/inside/triton_server.py"]
    while todo:
        source = (ROOT / todo.pop()).read_text()
        for module in re.findall(r"from deploy\.local(?:\.(\w+))? import (\w+)", source):
            name = module[0] or module[1]
            if name not in needed:
                needed.add(name)
                todo.append(f"deploy/local/{name}.py")
    assert copied == needed


def test_the_server_of_the_local_stack_is_left_out_of_the_image() -> None:
    lines = (ROOT / "requirements/triton.txt").read_text().splitlines()
    assert sum(line.startswith("nvidia-pytriton==") for line in lines) == 1
    assert "!/^nvidia-pytriton==/" in (FOLDER / "triton.Dockerfile").read_text()
