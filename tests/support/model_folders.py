"""Model repositories for tests: copies of the project's model folders with other parameters."""

import json
import re
import shutil
from pathlib import Path

MODELS = Path(__file__).resolve().parents[2] / "triton_models"


def write_model(repository: Path, name: str, source: str, parameters: dict[str, str]) -> None:
    """A copy of a model folder under another name, with other parameters."""
    shutil.copytree(MODELS / source, repository / name, ignore=shutil.ignore_patterns("__*"))
    config = (repository / name / "config.pbtxt").read_text()
    config = config.replace(f'name: "{source}"', f'name: "{name}"')
    for key, value in parameters.items():
        pattern = rf'(key: "{key}" value {{ string_value: )"[^"]*"'
        quoted = json.dumps(value)
        config, count = re.subn(pattern, lambda found, to=quoted: found[1] + to, config)
        assert count == 1, key
    (repository / name / "config.pbtxt").write_text(config)
