"""The speaker model on the real server, with real human voices."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from tests.support.recordings import recordings
from tests.support.voices import Voice, real_voices

WINDOW = 25_600


async def vectors(client: Any, windows: NDArray[np.int16]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = await client.infer("speaker", AUDIO_PCM=windows)
    return found


async def voice_of(client: Any, voice: Voice) -> NDArray[np.float32]:
    pcm = voice.pcm()
    starts = range(0, len(pcm) - WINDOW + 1, WINDOW // 2)
    mean = (await vectors(client, np.stack([pcm[at : at + WINDOW] for at in starts]))).mean(axis=0)
    unit: NDArray[np.float32] = mean / np.linalg.norm(mean)
    return unit


async def test_the_vector_is_that_of_resemblyzer(client: Any) -> None:
    """Values of resemblyzer 0.1.4's network in PyTorch 2.13.0 on librosa 0.11.0's mel frames."""
    window = recordings()[0].samples()[None, :WINDOW]
    (found,) = await vectors(client, window)
    expected = {162: 0.25301, 119: 0.22508, 35: 0.20701, 58: 0.20666, 89: 0.20164, 16: 0.19845}
    assert {index: float(found[index]) for index in expected} == pytest.approx(expected, abs=1e-4)
    assert int((found == 0).sum()) == 168


async def test_a_voice_is_nearer_to_itself_than_to_others(client: Any) -> None:
    people = real_voices()
    enrolled = [await voice_of(client, voice.part(0, 0.5)) for voice in people]
    tried = [await voice_of(client, voice.part(0.5, 1)) for voice in people]
    alike = np.array(enrolled) @ np.array(tried).T
    assert np.diag(alike).min() >= 0.8
    assert max(alike[one, other] for one, other in combinations(range(3), 2)) <= 0.78


async def test_a_window_does_not_depend_on_its_neighbours(client: Any) -> None:
    pcm = recordings()[1].samples()
    windows = np.stack([pcm[at : at + WINDOW] for at in range(0, 16_000, 500)])
    together = await vectors(client, windows)
    assert together.shape == (32, 256)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(32), abs=1e-5)
    alone = np.concatenate([await vectors(client, windows[[row]]) for row in (0, 17, 31)])
    assert together[[0, 17, 31]] == pytest.approx(alone, abs=1e-5)


async def test_short_windows_and_silence(client: Any) -> None:
    pcm = recordings()[1].samples()
    assert (await vectors(client, pcm[None, 8000:14_400])).any()
    assert not (await vectors(client, np.zeros((2, WINDOW), np.int16))).any()


@pytest.mark.parametrize(
    ("shape", "message"),
    [((1, 6399), "invalid_audio:"), ((1, 25_601), "audio_too_long:"), ((65, 6400), "batch-size")],
)
async def test_bad_requests(client: Any, shape: tuple[int, int], message: str) -> None:
    with pytest.raises(InferenceServerException, match=message) as caught:
        await vectors(client, np.zeros(shape, np.int16))
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"
