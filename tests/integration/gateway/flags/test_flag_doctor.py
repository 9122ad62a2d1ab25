"""`speechgate doctor` and a real Unleash."""

import json
import os
import subprocess
import sys
from typing import Any

from gateway.flags.names import MODEL_FLAGS
from tests.integration.gateway.flags.conftest import FlagWorld
from tests.integration.gateway.harness import ROOT, free_port


def flags_of(world: FlagWorld, **changed: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit status, and what the doctor found of flags."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "doctor", "--json"],
        cwd=ROOT,
        env={**os.environ, **world.gateway.env, **changed},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = json.loads(done.stdout)["findings"]
    token = world.unleash.backend_token_file.read_text().strip()
    assert token not in done.stdout + done.stderr
    return done.returncode, [one for one in found if one["check"] == "flags"]


def test_flags_of_unleash(flag_world: FlagWorld) -> None:
    _, found = flags_of(flag_world)
    assert found[0]["level"] == "ok"
    assert "from unleash" in found[0]["says"]
    missing = [one["says"] for one in found[1:]]
    there = {flag["name"] for flag in flag_world.unleash.features()["features"]}
    assert [name for name in MODEL_FLAGS if name not in there] == [
        name for name in MODEL_FLAGS if any(name in says for says in missing)
    ]


def test_an_unleash_that_does_not_answer_or_refuses(flag_world: FlagWorld) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    pepper = str(flag_world.installation.folder / "pepper")
    for changed in (
        {"SPEECHGATE_UNLEASH_URL": nowhere},
        {"SPEECHGATE_UNLEASH_TOKEN_FILE": pepper},
    ):
        status, found = flags_of(flag_world, **changed)
        assert status == 1
        assert [one["level"] for one in found] == ["error"]
        assert "UNLEASH" in found[0]["mend"]
