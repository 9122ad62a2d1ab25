from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st


def spans(vad: ModuleType, values: list[float], **options: float) -> list[tuple[float, float]]:
    found = vad.segments(
        np.array(values, np.float32), len(values) * vad.FRAME, vad.Options(**options)
    )
    return [(span["start"], span["end"]) for span in found]


def test_a_run_of_speech_is_padded(vad: ModuleType) -> None:
    values = [0.0] * 10 + [0.9] * 10 + [0.0] * 10
    assert spans(vad, values, speech_pad_ms=0) == [(0.32, 0.64)]
    assert spans(vad, values, speech_pad_ms=30) == [(0.29, 0.67)]


def test_a_dip_above_the_release_level_does_not_end_speech(vad: ModuleType) -> None:
    values = [0.9] * 10 + [0.4] * 20 + [0.9] * 10
    assert len(spans(vad, values)) == 1
    assert len(spans(vad, [0.9] * 10 + [0.3] * 20 + [0.9] * 10)) == 2


def test_only_a_silence_long_enough_ends_speech(vad: ModuleType) -> None:
    values = [0.9] * 10 + [0.0] * 10 + [0.9] * 10  # 320 ms of silence
    assert len(spans(vad, values, min_silence_ms=100)) == 2
    assert len(spans(vad, values, min_silence_ms=500)) == 1


def test_short_bursts_go(vad: ModuleType) -> None:
    assert spans(vad, [0.0] * 10 + [0.9] * 2 + [0.0] * 10, min_speech_ms=100) == []
    assert len(spans(vad, [0.0] * 10 + [0.9] * 2 + [0.0] * 10, min_speech_ms=30)) == 1


def test_speech_to_the_end_ends_with_the_audio(vad: ModuleType) -> None:
    found = vad.segments(np.full(10, 0.9, np.float32), 9 * vad.FRAME + 100, vad.Options())
    assert found == [{"start": 0.0, "end": 0.294}]


@given(
    values=st.lists(st.floats(0, 1, width=32), max_size=200),
    pad=st.integers(0, 5000),
    silence=st.integers(0, 500),
)
def test_segments_are_ordered_disjoint_and_inside(
    vad: ModuleType, values: list[float], pad: int, silence: int
) -> None:
    found = spans(vad, values, speech_pad_ms=pad, min_silence_ms=silence, min_speech_ms=0)
    edges = [edge for span in found for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(values) * vad.FRAME / vad.SAMPLE_RATE for edge in edges)


@pytest.mark.parametrize(
    "options",
    [
        {"threshold": 0.0},
        {"threshold": float("nan")},
        {"threshold": 1.0},
        {"min_silence_ms": -1},
        {"speech_pad_ms": 5001},
        {"min_speech_ms": 2**31 - 1},
    ],
)
def test_options_out_of_range(vad: ModuleType, options: dict[str, float]) -> None:
    with pytest.raises(vad.ClientError, match=r"^invalid_parameter: [A-Z_]+ "):
        vad.Options(**options)


def test_audio_is_scaled_and_bounded(vad: ModuleType) -> None:
    assert vad.to_float(np.array([-32768, 16384], np.int16)).tolist() == [-1.0, 0.5]
    assert vad.to_float(np.array([-3.0, 0.5], np.float32)).tolist() == [-1.0, 0.5]
    for audio, code in [
        (np.zeros(0, np.int16), "empty_audio"),
        (np.zeros(9_600_001, np.int16), "audio_too_long"),
        (np.array([np.nan], np.float32), "invalid_audio"),
        (np.array([np.inf], np.float32), "invalid_audio"),
    ]:
        with pytest.raises(vad.ClientError, match=rf"^{code}:"):
            vad.to_float(audio)
    with pytest.raises(vad.ClientError, match=r"^invalid_parameter: SAMPLING_RATE"):
        vad.check_rate(8000)
