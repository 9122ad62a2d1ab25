"""An image's requirements and sources are enough to import its process.

The tests' environment has more of both.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# Imports modules while packages outside a list cannot be found, nor sources outside the folder.
_PROGRAM = """
import importlib, re, sys
from importlib.metadata import packages_distributions
from pathlib import Path

locked, modules = sys.argv[1].split(","), sys.argv[2:]
owners = packages_distributions()

class Absent:
    def find_spec(self, name, path=None, target=None):
        found = {re.sub("[-_.]+", "-", one).lower() for one in owners.get(name, ())}
        if found and not found & {*locked, "speechgate"}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent())
sys.path.insert(0, str(Path.cwd()))
for name in modules:
    importlib.import_module(name)
for name, module in sys.modules.items():
    if name.split(".")[0] in ("gateway", "services", "shared", "deploy"):
        for place in module.__path__ if hasattr(module, "__path__") else [module.__file__]:
            assert Path(place).is_relative_to(Path.cwd()), place
"""
MODULES = {
    "gateway": [
        "gateway.main",
        "gateway.cli",
        "deploy.docker.inside.bootstrap",
        "deploy.docker.inside.databases",
        "deploy.docker.inside.flags",
    ],
    "asr": ["services.asr.main", "services.asr.rewrap"],
    "tts": ["services.tts.main"],
    "nlp": ["services.nlp.main"],
}


def _copy_sources(kind: str, image: Path) -> None:
    """What the Dockerfile copies to /opt/speechgate."""
    text = (ROOT / "deploy/docker" / f"{kind}.Dockerfile").read_text()
    for line in re.findall(r"(?m)^COPY (?!--)(.+ /opt/speechgate/\S+)$", text):
        *sources, target = line.split()
        place = image / target.removeprefix("/opt/speechgate/")
        for source in sources:
            if (ROOT / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, place, ignore=ignored, dirs_exist_ok=True)
                continue
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, place)


@pytest.mark.parametrize("kind", sorted(MODULES))
def test_an_image_has_what_its_process_imports(kind: str, tmp_path: Path) -> None:
    _copy_sources(kind, tmp_path)
    lock = (ROOT / "requirements" / f"{kind}.txt").read_text()
    locked = [name.lower() for name in re.findall(r"(?m)^([A-Za-z0-9._-]+)==", lock)]
    modules = [*MODULES[kind], "shared.db.migrations"]
    ended = subprocess.run(
        [sys.executable, "-I", "-c", _PROGRAM, ",".join(locked), *modules],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
