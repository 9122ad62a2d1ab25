"""Preferred phrases on the real server, with real human speech."""

import asyncio
import json
from typing import Any

import jiwer
import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from tests.support.recordings import recordings

RECORDINGS = recordings()
# Of other fields and of none of the recordings.
UNSPOKEN = [
    *("kubernetes", "london", "elizabeth", "invoice", "diabetes", "penicillin", "hypertension"),
    *("paris", "tomato", "mercedes", "microsoft", "wellington", "january", "bicycle"),
    *("amoxicillin", "jennifer", "bangalore", "delhi", "zyrqwell"),
]


async def transcribe(client: Any, pcm: NDArray[np.int16], **more: Any) -> dict[str, Any]:
    answer = await client.infer("asr", AUDIO_PCM=pcm, LANG_ID="en", **more)
    found: dict[str, Any] = json.loads(answer[0])
    return found


async def test_phrases_come_right_and_leave_no_trace(client: Any) -> None:
    spoken = RECORDINGS[1:3]
    plain = [await transcribe(client, one.samples(), TOPK=3) for one in spoken]
    phrases = ["Ill-disposed", "unless"]
    boosted = await asyncio.gather(
        *(transcribe(client, one.samples(), BOOST=phrases) for one in spoken)
    )
    references = [one.reference for one in spoken]
    before = jiwer.wer(references, [one["text"] for one in plain])
    after = jiwer.wer(references, [one["text"] for one in boosted])
    assert after <= before - 0.08, [one["text"] for one in boosted]
    for phrase, one in zip(["ill disposed", "unless"], boosted, strict=True):
        assert phrase in one["text"]
        assert one["text"] == " ".join(word["word"] for word in one["words"])
        edges = [edge for word in one["words"] for edge in (word["start"], word["end"])]
        assert edges == sorted(edges)
        assert edges[-1] <= one["duration"]
    # As many calls at once as instances: each has by now met phrases.
    again = await asyncio.gather(*(transcribe(client, spoken[0].samples(), TOPK=3) for _ in "ab"))
    assert again == [plain[0]] * 2
    assert await transcribe(client, spoken[0].samples(), BOOST=phrases) == boosted[0]


async def test_phrases_that_are_not_spoken_change_nothing(client: Any) -> None:
    for one in RECORDINGS[1:2]:
        plain = await transcribe(client, one.samples())
        boosted = await transcribe(client, one.samples(), BOOST=UNSPOKEN)
        assert boosted["text"] == plain["text"]


@pytest.mark.parametrize("phrases", [["covid 19"], [b"\xff"], ["x" * 65], ["word"] * 101])
async def test_bad_phrases(client: Any, phrases: list[Any]) -> None:
    with pytest.raises(InferenceServerException, match="invalid_parameter: BOOST") as caught:
        await transcribe(client, np.ones(16_000, np.int16), BOOST=phrases)
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"
