"""Which models a launcher loads."""

from pathlib import Path

import pytest

from deploy.local.options import StackOptions
from deploy.local.triton import PROJECT
from deploy.local.triton_repository import default_models, model_names

MODELS = PROJECT / "triton_models"
ON_DEMAND = {"asr_sherpa", "asr_whisper", "nmt_ctranslate2", "tts_piper", "tts_sherpa"}


def test_models_that_want_weights_are_not_loaded_by_default() -> None:
    assert set(model_names(MODELS)) - set(default_models(MODELS)) == ON_DEMAND
    assert "asr" in default_models(MODELS)


def test_the_parameter_decides(tmp_path: Path) -> None:
    for name, value in (("a", "true"), ("b", "false")):
        (tmp_path / name).mkdir()
        text = f'parameters {{ key: "on_demand" value {{ string_value: "{value}" }} }}'
        (tmp_path / name / "config.pbtxt").write_text(text)
    assert default_models(tmp_path) == ["b"]


@pytest.mark.parametrize(
    ("value", "models"),
    [("", ()), ("asr_whisper", ("asr_whisper",)), (" a, b ,", ("a", "b"))],
)
def test_the_setting(value: str, models: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECHGATE_TRITON_EXTRA_MODELS", value)
    assert StackOptions().triton_extra_models == models
