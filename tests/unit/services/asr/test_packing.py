"""No speech lost, none sent twice, no segment too long, cuts in silence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.asr.models.audio import SAMPLE_RATE, Span
from services.asr.services.packing import PackingRules, normalize, pack, quietest, split_long
from shared.audio.contract import Pcm16

RULES = PackingRules(max_length=20 * SAMPLE_RATE, pad=int(0.3 * SAMPLE_RATE))


def seconds(start: float, end: float) -> Span:
    return Span(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))


def noise(length_s: float, *quiet: tuple[float, float]) -> Pcm16:
    """Loud noise with quiet stretches."""
    samples = np.random.default_rng(1).normal(0, 3000, round(length_s * SAMPLE_RATE))
    for start, end in quiet:
        samples[seconds(start, end).start : seconds(start, end).end] *= 0.001
    return samples.astype(np.int16)


@st.composite
def audio(draw: st.DrawFn) -> tuple[list[Span], Pcm16]:
    """Regions as a voice activity model may give them, and audio of some length."""
    total = draw(st.integers(1, 120 * SAMPLE_RATE))
    regions = [
        Span(start, start + length)
        for start, length in draw(
            st.lists(
                st.tuples(
                    st.integers(-SAMPLE_RATE, 125 * SAMPLE_RATE),
                    st.integers(0, 50 * SAMPLE_RATE),
                ),
                max_size=25,
            )
        )
    ]
    return regions, np.zeros(total, np.int16)


rules = st.builds(
    PackingRules,
    max_length=st.integers(5 * SAMPLE_RATE, 30 * SAMPLE_RATE),
    pad=st.integers(0, SAMPLE_RATE),
    edge=st.integers(0, SAMPLE_RATE),
    max_gap=st.integers(SAMPLE_RATE, 5 * SAMPLE_RATE),
)


@given(audio(), rules)
def test_no_speech_is_lost(
    given_audio: tuple[list[Span], Pcm16], given_rules: PackingRules
) -> None:
    regions, pcm = given_audio
    covered = np.zeros(len(pcm), bool)
    for segment in pack(regions, pcm, given_rules):
        covered[segment.start : segment.end] = True
    for region in normalize(regions, len(pcm)):
        assert covered[region.start : region.end].all()


@given(audio(), rules)
def test_segments_are_apart_in_order_inside_and_short_enough(
    given_audio: tuple[list[Span], Pcm16], given_rules: PackingRules
) -> None:
    regions, pcm = given_audio
    segments = pack(regions, pcm, given_rules)
    ends = [0, *(segment.end for segment in segments)]
    for previous, segment in zip(ends, segments, strict=False):
        assert previous <= segment.start < segment.end <= len(pcm)
        assert segment.length <= given_rules.max_length


@given(audio(), rules)
def test_cuts_are_in_silence_unless_a_region_is_too_long(
    given_audio: tuple[list[Span], Pcm16], given_rules: PackingRules
) -> None:
    regions, pcm = given_audio
    room = given_rules.max_length - 2 * given_rules.pad
    short = [one for one in normalize(regions, len(pcm)) if one.length <= room]
    for segment in pack(regions, pcm, given_rules):
        for edge in (segment.start, segment.end):
            assert not any(region.start < edge < region.end for region in short)


@given(audio())
def test_what_fits_one_segment_is_one(given_audio: tuple[list[Span], Pcm16]) -> None:
    regions, pcm = given_audio
    found = normalize(regions, len(pcm))
    if found and found[-1].end - found[0].start <= RULES.max_length - 2 * RULES.pad:
        assert len(pack(regions, pcm, RULES)) == 1


def test_nothing_said_is_nothing_sent() -> None:
    assert pack([], noise(3), RULES) == []
    assert pack([Span(5, 5), seconds(4, 5)], noise(3), RULES) == []


def test_a_short_clip_goes_as_it_came() -> None:
    assert pack([seconds(0.35, 6.9)], noise(7.1), RULES) == [seconds(0, 7.1)]


def test_long_silence_at_the_ends_is_trimmed_to_the_pad() -> None:
    assert pack([seconds(10, 13)], noise(25), RULES) == [seconds(9.7, 13.3)]


def test_neighbours_are_packed_and_parted_at_the_longest_silence() -> None:
    regions = [seconds(0, 5), seconds(5.4, 11), seconds(12.5, 18), seconds(18.3, 25)]
    found = pack(regions, noise(25), RULES)
    assert found == [seconds(0, 11.3), seconds(12.2, 25)]


def test_pads_never_overlap() -> None:
    found = pack([seconds(0, 12), seconds(12.2, 24)], noise(24), RULES)
    assert found == [seconds(0, 12.1), seconds(12.1, 24)]


def test_long_silence_inside_long_audio_is_not_sent() -> None:
    found = pack([seconds(0, 5), seconds(60, 65)], noise(65), RULES)
    assert found == [seconds(0, 5.3), seconds(59.7, 65)]


def test_a_long_region_is_cut_where_it_is_quietest() -> None:
    pcm = noise(30, (14.0, 14.2))
    pieces = split_long(seconds(0, 30), pcm, RULES)
    assert len(pieces) == 2
    assert pieces[0].end == pieces[1].start
    assert 14.0 * SAMPLE_RATE <= pieces[0].end <= 14.2 * SAMPLE_RATE


def test_the_quietest_place() -> None:
    pcm = noise(10, (6.0, 6.1))
    assert quietest(pcm, seconds(2, 9)) == pytest.approx(6.05 * SAMPLE_RATE, abs=400)
    assert quietest(pcm, Span(100, 110)) == 105


def test_overlapping_regions_are_joined() -> None:
    assert normalize([Span(5, 9), Span(0, 6), Span(9, 10), Span(20, 30)], 25) == [
        Span(0, 10),
        Span(20, 25),
    ]


def test_rules_without_room_are_refused() -> None:
    with pytest.raises(ValueError, match="pad"):
        PackingRules(max_length=1000, pad=250)
