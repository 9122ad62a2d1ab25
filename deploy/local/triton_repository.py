"""The folders Triton starts from: Python backend, and a copy of the model repository.

The repository itself is never written to. Its copy holds links to the version folders and a
config.pbtxt each, in which the number of instances may differ.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.process import LauncherError

_COUNT = re.compile(r"(\bcount\s*:\s*)(\d+)")
_GROUP = re.compile(r"\binstance_group\b")
_ON_DEMAND = re.compile(r'key\s*:\s*"on_demand"\s+value\s*{\s*string_value\s*:\s*"true"')
_MOST_INSTANCES = 8


@dataclass(frozen=True)
class TritonInstallation:
    """The server inside the virtual environment that nvidia-pytriton is installed in."""

    venv: Path

    @property
    def root(self) -> Path:
        """The package's tritonserver folder."""
        found = sorted(self.venv.glob("lib/python3.*/site-packages/pytriton/tritonserver"))
        if not found:
            raise LauncherError(f"no Triton server in {self.venv}: run `make setup`")
        return found[0]

    @property
    def server(self) -> Path:
        """The server's program."""
        return self.root / "bin" / "tritonserver"

    def library_path(self) -> str:
        """LD_LIBRARY_PATH for the stubs: where libpython of the base interpreter lies.

        Empty when the loader finds it without help.
        """
        code = "import sysconfig; v = sysconfig.get_config_var; print(v('LIBDIR'), v('INSTSONAME'))"
        python = str(self.venv / "bin" / "python")
        output = subprocess.run(
            [python, "-c", code], check=True, capture_output=True, text=True, timeout=30
        ).stdout
        folder, _, name = output.strip().rpartition(" ")
        return folder if (Path(folder) / name).exists() else ""

    def make_backends(self, folder: Path) -> Path:
        """Makes a backend folder of links: a copied backend would lose its RPATH."""
        version = self.root.parents[2].name.removeprefix("python")
        python = folder / "python"
        shutil.rmtree(folder, ignore_errors=True)
        python.mkdir(parents=True)
        for source in (
            self.root / "backends" / "python" / "libtriton_python.so",
            self.root / "backends" / "python" / "triton_python_backend_utils.py",
            self.root / "python_backend_stubs" / version / "triton_python_backend_stub",
        ):
            (python / source.name).symlink_to(source)
        return folder


def model_names(repository: Path) -> list[str]:
    """The models of a repository: its folders with a config.pbtxt."""
    return sorted(path.parent.name for path in repository.glob("*/config.pbtxt"))


def default_models(repository: Path) -> list[str]:
    """The models that are loaded unless told otherwise: those that need nothing of the user.

    A model with the parameter `on_demand` wants weights that do not come with the project.
    """
    return [
        name
        for name in model_names(repository)
        if not _ON_DEMAND.search((repository / name / "config.pbtxt").read_text())
    ]


def default_instances() -> int:
    """One instance a core this process may use, within reason."""
    return min(len(os.sched_getaffinity(0)), _MOST_INSTANCES)


def with_instances(config: str, instances: int | None) -> str:
    """Sets the number of instances in a config.pbtxt.

    Without a number, models that run several instances get one a core; a model that asks for
    one (or for nothing) keeps it: it has a reason, like its memory.
    """
    if instances is None:
        counts = [int(count) for _, count in _COUNT.findall(config)]
        if not counts or max(counts) == 1:
            return config
        instances = default_instances()
    if not _GROUP.search(config):
        return f"{config}\ninstance_group [ {{ kind: KIND_CPU count: {instances} }} ]\n"
    return _COUNT.sub(rf"\g<1>{instances}", config)


def copy_repository(
    source: Path, target: Path, models: list[str], instances: int | None = None
) -> Path:
    """Makes the runtime copy of a model repository.

    Args:
        source: The repository; read only.
        target: The folder to make; replaced when it exists.
        models: Which models it gets. Other folders (shared code) are linked as they are.
        instances: Instances of every model; None for the default.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    known = set(model_names(source))
    missing = set(models) - known
    if missing:
        raise LauncherError(f"no model {', '.join(sorted(missing))} in {source}")
    for entry in source.iterdir():
        if entry.name not in known:
            (target / entry.name).symlink_to(entry.resolve())
    for model in models:
        folder = target / model
        folder.mkdir()
        for entry in (source / model).iterdir():
            if entry.name != "config.pbtxt":
                (folder / entry.name).symlink_to(entry.resolve())
        config = (source / model / "config.pbtxt").read_text()
        (folder / "config.pbtxt").write_text(with_instances(config, instances))
    return target
