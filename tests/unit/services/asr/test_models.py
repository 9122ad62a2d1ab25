"""What the typed clients make of models' answers, and what they send."""

from typing import Any

import numpy as np
import pytest

from services.asr.inference.asr_model import AsrModel, parse_recognition
from services.asr.inference.vad_model import VadModel, parse_timestamps
from services.asr.models.audio import Span
from services.asr.models.transcript import Hypothesis, Recognition, Word
from shared.problem import Unavailable


class FakeTriton:
    """Answers one document and remembers what it was sent."""

    def __init__(self, document: bytes) -> None:
        self.document = document
        self.sent: dict[str, Any] = {}

    async def infer(self, model: str, inputs: dict[str, Any], output: str) -> Any:
        self.sent = {"model": model, "output": output, **inputs}
        return np.array([self.document], dtype=object)

    async def languages(self, _model: str) -> list[str]:
        return ["en"]

    async def parameters(self, model: str) -> dict[str, str]:
        return {} if model == "m" else {"segment_gap_s": model}


PCM = np.zeros(40_000, np.int16)


async def test_recognition() -> None:
    fake = FakeTriton(
        b'{"text":"hi","words":[{"word":"hi","start":0.1,"end":0.2,"confidence":1.5}],'
        b'"confidence":0.5,"duration":1.0,"language":"en","nbest":[{"text":"hi","score":2}]}'
    )
    found = await AsrModel(fake).recognize("m", PCM, "en", topk=3)  # type: ignore[arg-type]
    assert found == Recognition("hi", (Word("hi", 0.1, 0.2, 1.0),), 0.5, (Hypothesis("hi", 2.0),))
    assert fake.sent["AUDIO_PCM"] is PCM
    assert list(fake.sent["LANG_ID"]) == [b"en"]
    assert list(fake.sent["TOPK"]) == [3]
    assert await AsrModel(fake).languages("m") == ["en"]  # type: ignore[arg-type]


async def test_one_reading_needs_no_topk() -> None:
    fake = FakeTriton(b'{"text":""}')
    await AsrModel(fake).recognize("m", PCM, "en")  # type: ignore[arg-type]
    assert "TOPK" not in fake.sent


@pytest.mark.parametrize(
    ("model", "gap_s"), [("m", None), ("0.9", 0.9), ("2", 2.0), ("-1", None), ("nan", None)]
)
async def test_a_model_may_say_where_it_wants_audio_cut(model: str, gap_s: float | None) -> None:
    asr = AsrModel(FakeTriton(b""))  # type: ignore[arg-type]
    assert await asr.segment_gap_s(model) == gap_s


def test_a_model_that_answers_bare_text() -> None:
    assert parse_recognition(b" some words ") == Recognition("some words", (), 0.0)
    assert parse_recognition(b"") == Recognition("", (), 0.0)


@pytest.mark.parametrize(
    "document",
    [b"{", b"{}", b'{"text":"a","words":[{}]}', b'{"text":"a","confidence":"high"}'],
)
def test_a_malformed_recognition_is_the_models_fault(document: bytes) -> None:
    with pytest.raises(Unavailable) as caught:
        parse_recognition(document)
    assert caught.value.code == "model_unavailable"


async def test_detection() -> None:
    fake = FakeTriton(b'[{"start":1.0,"end":2.0},{"start":0.1,"end":0.5}]')
    found = await VadModel(fake, "vad").detect(PCM)  # type: ignore[arg-type]
    assert found == [Span(1600, 8000), Span(16_000, 32_000)]
    assert fake.sent["model"] == "vad"


@pytest.mark.parametrize("document", [b"", b"{}x", b"[1]", b'[{"start":1}]', b'[{"start":"x"}]'])
def test_a_malformed_detection_is_the_models_fault(document: bytes) -> None:
    with pytest.raises(Unavailable):
        parse_timestamps(document)
