"""The asr model on the real server, with real human speech."""

import asyncio
import json
from typing import Any

import jiwer
import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from tests.load.speech_round_trip import SENTENCES, espeak
from tests.support.recordings import SAMPLE_RATE, recordings

RECORDINGS = recordings()


async def transcribe(client: Any, pcm: NDArray[np.int16], **more: Any) -> dict[str, Any]:
    more.setdefault("LANG_ID", "en")
    found: dict[str, Any] = json.loads((await client.infer("asr", AUDIO_PCM=pcm, **more))[0])
    return found


async def test_word_error_rate_of_read_speech(client: Any) -> None:
    rates = {}
    for recording in RECORDINGS:
        result = await transcribe(client, recording.samples())
        rates[recording.name] = jiwer.wer(recording.reference, result["text"])
    assert sum(rates.values()) / len(rates) <= 0.25, rates


async def test_speech_at_8_khz_is_understood(client: Any) -> None:
    """Without care for the empty upper band 0.59 of the words are wrong."""
    heard = []
    for sentence in SENTENCES:
        at_8_khz = soxr.resample(espeak(sentence).astype(np.float32), 22_050, 8_000)
        pcm = np.rint(soxr.resample(at_8_khz, 8_000, SAMPLE_RATE)).astype(np.int16)
        result = await transcribe(client, pcm)
        heard.append(result["text"])
    assert jiwer.wer(list(SENTENCES), heard) <= 0.25, heard
    boosted = await transcribe(client, pcm, BOOST=["going to be late"])
    assert boosted["text"].endswith("going to be late")


async def test_words_times_and_confidences(client: Any) -> None:
    for recording in RECORDINGS:
        pcm = recording.samples()
        result = await transcribe(client, pcm)
        words = result["words"]
        assert result["text"] == " ".join(word["word"] for word in words)
        assert result["duration"] == pytest.approx(len(pcm) / SAMPLE_RATE, abs=1e-3)
        assert result["language"] == "en"
        assert 0 < result["confidence"] <= 1
        edges = [edge for word in words for edge in (word["start"], word["end"])]
        assert edges == sorted(edges)
        assert all(0 <= edge <= len(pcm) / SAMPLE_RATE for edge in edges)
        assert all(0 <= word["confidence"] <= 1 for word in words)
        assert not any(mark in result["text"] for mark in "<>[]()")


async def test_a_result_does_not_depend_on_what_came_before(client: Any) -> None:
    rng = np.random.default_rng(3)
    first, *others = (recording.samples() for recording in RECORDINGS[1:3])
    # Both instances have by now met different audio; twice as many calls as instances.
    results = [await transcribe(client, first) for _ in range(2)]
    for between in (rng.normal(0, 4000, 32_000).astype(np.int16), *others):
        await asyncio.gather(*(transcribe(client, between) for _ in range(2)))
        results += await asyncio.gather(*(transcribe(client, first) for _ in range(2)))
    assert all(result == results[0] for result in results)


async def test_long_audio_is_recognised_in_pieces(client: Any) -> None:
    pause = np.zeros(SAMPLE_RATE // 2, np.int16)
    parts = [part for recording in RECORDINGS for part in (recording.samples(), pause)] * 2
    result = await transcribe(client, np.concatenate(parts))
    reference = " ".join([recording.reference for recording in RECORDINGS] * 2)
    assert jiwer.wer(reference, result["text"]) <= 0.3
    edges = [edge for word in result["words"] for edge in (word["start"], word["end"])]
    assert edges == sorted(edges)
    assert 45 < edges[-1] <= result["duration"]


@pytest.mark.parametrize("samples", [1, 160, 1599, 16_000, 160_000])
async def test_silence_has_no_words(client: Any, samples: int) -> None:
    result = await transcribe(client, np.zeros(samples, np.int16), TOPK=3)
    assert (result["text"], result["words"], result["confidence"]) == ("", [], 0.0)
    assert result["nbest"] == [{"text": "", "score": 1.0}]


@pytest.mark.parametrize("level", [20, 4000, 32_000])
async def test_noise_is_answered(client: Any, level: int) -> None:
    noise = np.random.default_rng(level).normal(0, level, 32_000)
    result = await transcribe(client, np.clip(noise, -32768, 32767).astype(np.int16))
    assert result["duration"] == 2.0


async def test_hypotheses(client: Any) -> None:
    pcm = RECORDINGS[1].samples()
    plain = await transcribe(client, pcm)
    assert "nbest" not in plain
    assert "nbest" not in await transcribe(client, pcm, TOPK=1)
    result = await transcribe(client, pcm, TOPK=10)
    texts = [item["text"] for item in result["nbest"]]
    assert texts[0] == plain["text"]
    assert 1 < len(texts) <= 10
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"AUDIO_PCM": np.zeros(0, np.int16)}, "empty_audio:"),
        ({"AUDIO_PCM": np.zeros(9_600_001, np.int16)}, "audio_too_long:"),
        ({"LANG_ID": "es"}, "unsupported_language: en"),
        ({"LANG_ID": "en\n"}, "unsupported_language: en"),
        ({"LANG_ID": b"\xff\xfe\0"}, "unsupported_language: en"),
        ({"LANG_ID": "-hmm /etc; id"}, "unsupported_language: en"),
        ({"TOPK": 11}, "invalid_parameter: TOPK"),
        ({"TOPK": -1}, "invalid_parameter: TOPK"),
        ({"LANG_ID": ["en", "en"]}, "shape"),
        ({"AUDIO_PCM": np.zeros(16_000, np.float32)}, "data-type"),
    ],
)
async def test_bad_requests(client: Any, values: dict[str, Any], message: str) -> None:
    request = {"AUDIO_PCM": np.ones(16_000, np.int16), "LANG_ID": "en", **values}
    with pytest.raises(InferenceServerException, match=message) as caught:
        await client.infer("asr", **request)
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"


async def test_a_cancelled_request_frees_its_instance(client: Any) -> None:
    speech = np.concatenate([recording.samples() for recording in RECORDINGS] * 10)
    # Over 4 minutes of speech: some 40 s of work an instance.
    long = [asyncio.create_task(transcribe(client, speech)) for _ in range(2)]
    # The long ones take time to arrive: a short one that waits shows that both are at work.
    for _ in range(5):
        short = asyncio.create_task(transcribe(client, RECORDINGS[1].samples()))
        done, _ = await asyncio.wait([short], timeout=2)
        if not done:
            break
    assert not done
    assert not any(task.done() for task in long)
    for task in long:
        task.cancel()
    # At most one chunk of 20 s is still decoded to its end.
    assert (await asyncio.wait_for(short, 20))["text"].startswith("he was not")
