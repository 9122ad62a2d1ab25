from pathlib import Path

import pytest

from deploy.local import triton_repository
from deploy.local.process import LauncherError
from deploy.local.triton_client import tiny_request
from deploy.local.triton_repository import copy_repository, model_names, with_instances

TWO = "instance_group [{ kind: KIND_CPU count: 2 }]"
ONE = "instance_group [{ kind: KIND_CPU count: 1 }]"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    for name in ("asr", "tts"):
        (source / name / "1").mkdir(parents=True)
        (source / name / "1" / "model.py").write_text(name)
        (source / name / "config.pbtxt").write_text(TWO)
    (source / "common").mkdir()
    return source


@pytest.mark.parametrize(
    ("config", "instances", "expected"),
    [
        (TWO, 5, "count: 5"),
        (ONE, 5, "count: 5"),
        ('name: "a"', 3, "instance_group [ { kind: KIND_CPU count: 3 } ]"),
        (TWO, None, "count: 4"),
        (ONE, None, "count: 1"),
        ('name: "a"', None, 'name: "a"'),
    ],
)
def test_instances(
    config: str, instances: int | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triton_repository, "default_instances", lambda: 4)
    assert expected in with_instances(config, instances)


def test_the_copy_links_versions_and_leaves_the_source(repository: Path, tmp_path: Path) -> None:
    target = copy_repository(repository, tmp_path / "copy", ["asr"], 7)

    assert model_names(target) == ["asr"]
    assert "count: 7" in (target / "asr" / "config.pbtxt").read_text()
    assert (target / "asr" / "1").resolve() == repository / "asr" / "1"
    assert (target / "common").resolve() == repository / "common"
    assert (repository / "asr" / "config.pbtxt").read_text() == TWO


def test_a_second_copy_replaces_the_first(repository: Path, tmp_path: Path) -> None:
    copy_repository(repository, tmp_path / "copy", ["asr", "tts"])
    target = copy_repository(repository, tmp_path / "copy", ["tts"])

    assert model_names(target) == ["tts"]
    assert (repository / "asr" / "1" / "model.py").read_text() == "asr"


def test_an_absent_model_is_named(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(LauncherError, match="no model vad"):
        copy_repository(repository, tmp_path / "copy", ["vad"])


def test_the_tiny_request_has_each_required_input() -> None:
    config = {
        "max_batch_size": 8,
        "input": [
            {"name": "TEXT", "data_type": "TYPE_STRING", "dims": ["-1"]},
            {"name": "PCM", "data_type": "TYPE_INT16", "dims": ["-1"]},
            {"name": "SPEED", "data_type": "TYPE_FP32", "dims": ["1"], "optional": True},
            {"name": "RATE", "data_type": "TYPE_INT32", "dims": [2, 2]},
        ],
    }

    text, audio, rate = tiny_request(config)["inputs"]

    assert text == {"name": "TEXT", "shape": [1, 1], "datatype": "BYTES", "data": ["en"]}
    assert (audio["shape"], audio["datatype"], len(audio["data"])) == ([1, 1600], "INT16", 1600)
    assert (rate["shape"], rate["datatype"], rate["data"]) == ([1, 2, 2], "INT32", [0] * 4)


def test_the_tiny_request_of_a_model_with_state_is_a_whole_sequence() -> None:
    config = {"input": [], "sequence_batching": {"oldest": {}}}
    first, second = (tiny_request(config)["parameters"] for _ in range(2))
    assert first["sequence_start"] is first["sequence_end"] is True
    assert 0 < first["sequence_id"] != second["sequence_id"] > 0
