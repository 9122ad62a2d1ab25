import pytest

from services.tts.schemas.openai import InputTooLong, SpeechBody
from services.tts.services.openai_names import OpenAiNames
from shared.openapi import ValidationFailed, validate
from shared.text.problems import UnknownModel

NAMES = OpenAiNames(
    {"default": "tts", "fast": "tts_fast"},
    {"tts-1": "default", "tts-1-hd": "fast"},
    {"alloy": "female", "onyx": "male", "nova": "en-us+f3"},
)
BODY = {"model": "tts-1", "input": "Hello.", "voice": "alloy"}


@pytest.mark.parametrize(
    ("name", "service_id"), [("tts-1", None), ("default", None), ("tts-1-hd", "fast")]
)
def test_models(name: str, service_id: str | None) -> None:
    assert NAMES.service_id(name) == service_id


def test_an_unknown_model() -> None:
    with pytest.raises(UnknownModel):
        NAMES.service_id("tts_fast")


@pytest.mark.parametrize(
    ("voice", "gender", "name"),
    [
        ("alloy", "female", None),
        ("onyx", "male", None),
        ("nova", "female", "en-us+f3"),
        ("male", "male", None),
        ("hi-male", "female", "hi-male"),
    ],
)
def test_voices(voice: str, gender: str, name: str | None) -> None:
    order = validate(SpeechBody, {**BODY, "voice": {"id": voice}}).order(NAMES)
    assert (order.voice.gender, order.voice.name) == (gender, name)


def test_the_order_of_a_plain_body() -> None:
    order = validate(SpeechBody, BODY).order(NAMES)
    assert (order.texts, order.audio_format, order.sampling_rate) == (("Hello.",), "mp3", 24_000)
    assert (order.markup, order.voice.language, order.voice.speed) == (False, "", 1.0)


@pytest.mark.parametrize(("asked", "spoken"), [(0.25, 0.6), (1.0, 1.0), (4.0, 3.0)])
def test_speeds_have_bounds(asked: float, spoken: float) -> None:
    assert validate(SpeechBody, {**BODY, "speed": asked}).spoken_speed == spoken


def test_the_length_of_the_text_is_bounded() -> None:
    validate(SpeechBody, {**BODY, "input": "a" * 4096}).order(NAMES)
    with pytest.raises(InputTooLong):
        validate(SpeechBody, {**BODY, "input": "a" * 4097}).order(NAMES)


@pytest.mark.parametrize(
    "wrong",
    [{"voice": {}}, {"voice": {"id": {"id": "a"}}}, {"speed": "1"}, {"speed": 5}, {"model": None}],
)
def test_wrong_members(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationFailed):
        validate(SpeechBody, BODY | wrong)
