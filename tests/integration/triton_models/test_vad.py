"""The vad model on the real server, with real human speech."""

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from tests.support.recordings import SAMPLE_RATE, recordings

SPEECH = recordings()[1].samples()
GAP = np.zeros(SAMPLE_RATE * 2, np.int16)


async def timestamps(client: Any, **values: Any) -> list[dict[str, float]]:
    found: list[dict[str, float]] = json.loads((await client.infer("vad", **values))[0])
    return found


def covered(found: list[dict[str, float]]) -> float:
    return sum(span["end"] - span["start"] for span in found)


async def test_speech_is_found_where_it_is(client: Any) -> None:
    noise = np.random.default_rng(1).normal(0, 30, GAP.size).astype(np.int16)
    pcm = np.concatenate([GAP, SPEECH, noise, SPEECH, GAP])
    found = await timestamps(client, AUDIO_PCM=pcm, MIN_SILENCE_DURATION_MS=1000)
    length = SPEECH.size / SAMPLE_RATE
    assert len(found) == 2
    for span, start in zip(found, (2.0, 4.0 + length), strict=True):
        assert start <= span["start"] <= start + 0.6
        assert start + length - 0.6 <= span["end"] <= start + length + 0.2


async def test_float_and_integer_audio_agree(client: Any) -> None:
    floats = SPEECH.astype(np.float32) / 32768
    assert await timestamps(client, WAVPATH=floats) == await timestamps(client, AUDIO_PCM=SPEECH)


@pytest.mark.parametrize("pcm", [GAP, GAP[:1], GAP[:511]])
async def test_silence_has_no_speech(client: Any, pcm: NDArray[np.int16]) -> None:
    assert await timestamps(client, AUDIO_PCM=pcm) == []


async def test_pieces_give_what_the_whole_gives(client: Any) -> None:
    """Bit for bit, with pieces of the length that they are sent in."""
    whole = np.tile(np.concatenate([SPEECH, GAP]), 16)
    piece = 2 * 512 * 512
    assert len(whole) > 2 * piece
    (expected,) = await client.outputs("vad", "PROBABILITIES", AUDIO_PCM=whole)
    found, state = [], {}
    for start in range(0, len(whole), piece):
        part = whole[start : start + piece]
        values, after = await client.outputs(
            "vad", "PROBABILITIES", "NEW_STATE", AUDIO_PCM=part, **state
        )
        found.append(values)
        state = {"STATE": after}
    assert np.array_equal(np.concatenate(found), expected)
    regions = await timestamps(client, PROBABILITIES=expected, SPEECH_PAD_MS=100)
    assert regions == await timestamps(client, AUDIO_PCM=whole, SPEECH_PAD_MS=100)


async def test_the_options_matter(client: Any) -> None:
    plain = await timestamps(client, AUDIO_PCM=SPEECH, SAMPLING_RATE=16_000)
    padded = await timestamps(client, AUDIO_PCM=SPEECH, SPEECH_PAD_MS=200)
    strict = await timestamps(client, AUDIO_PCM=SPEECH, THRESHOLD=0.98)
    assert covered(strict) < covered(plain) < covered(padded)
    assert await timestamps(client, AUDIO_PCM=SPEECH, MIN_SPEECH_DURATION_MS=60_000) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "invalid_audio: give either"),
        ({"AUDIO_PCM": GAP, "WAVPATH": GAP.astype(np.float32)}, "invalid_audio: give either"),
        ({"AUDIO_PCM": GAP[:0]}, "empty_audio:"),
        ({"AUDIO_PCM": np.zeros(9_600_001, np.int16)}, "audio_too_long:"),
        ({"WAVPATH": np.array([np.nan], np.float32)}, "invalid_audio:"),
        (
            {"AUDIO_PCM": GAP, "STATE": np.zeros(320, np.float32) + np.nan},
            "invalid_parameter: STATE",
        ),
        ({"PROBABILITIES": np.full(9, 1.5, np.float32)}, "invalid_parameter: PROBABILITIES"),
        ({"PROBABILITIES": np.zeros(0, np.float32)}, "invalid_parameter: PROBABILITIES"),
        ({"AUDIO_PCM": GAP, "SAMPLING_RATE": 8000}, "invalid_parameter: SAMPLING_RATE"),
        ({"AUDIO_PCM": GAP, "THRESHOLD": float("nan")}, "invalid_parameter: THRESHOLD"),
        ({"AUDIO_PCM": GAP, "SPEECH_PAD_MS": -1}, "invalid_parameter: SPEECH_PAD_MS"),
    ],
)
async def test_bad_requests(client: Any, values: dict[str, Any], message: str) -> None:
    # The server itself wants at least one input.
    request = values or {"SAMPLING_RATE": 16_000}
    with pytest.raises(InferenceServerException, match=message) as caught:
        await client.infer("vad", **request)
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"
