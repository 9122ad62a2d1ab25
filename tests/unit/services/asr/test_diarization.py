"""Windows, groups, turns and words: the parts of diarization that need no model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.asr.models.audio import SAMPLE_RATE, Span
from services.asr.models.speakers import (
    Diarization,
    DiarizedSpeaker,
    Identity,
    KnownVoices,
    SpeakerSegment,
)
from services.asr.models.transcript import Transcript, Utterance, Word
from services.asr.services.diarization_clustering import (
    MAX_AT_ONCE,
    SpeakerCount,
    Vectors,
    cluster,
    unit,
)
from services.asr.services.diarization_turns import Smoothing, decode, viterbi
from services.asr.services.diarization_windows import SHORTEST, WINDOW, batches, windows_of
from services.asr.services.diarization_words import with_speakers
from services.asr.services.speakers_matching import MatchingRules, decided, similarity

HOP = WINDOW // 2
SECOND = SAMPLE_RATE


def voices(speakers: list[int], *, spread: float = 0.02, seed: int = 0) -> Vectors:
    """A vector for each number, those of one number near each other, others at right angles."""
    random = np.random.default_rng(seed)
    noise = random.normal(0, spread, (len(speakers), 16))
    return unit((np.eye(16)[speakers] + noise).astype(np.float32))


@given(st.lists(st.tuples(st.integers(1, 200_000), st.integers(1, 50_000)), max_size=8))
def test_windows_lie_in_their_region_and_cover_it(parts: list[tuple[int, int]]) -> None:
    regions, place = [], 0
    for length, gap in parts:
        regions.append(Span(place, place + length))
        place += length + gap
    total = max(place, 1)

    found = windows_of(regions, total, HOP)

    assert all(SHORTEST <= span.length <= WINDOW for span in found.spans)
    assert all(span.start >= 0 and span.end <= total for span in found.spans)
    for number, region in enumerate(regions):
        own = [found.spans[row] for row in np.flatnonzero(found.regions == number)]
        if region.length < SHORTEST:
            assert len(own) == (total >= SHORTEST)
            continue
        assert all(region.start <= span.start and span.end <= region.end for span in own)
        middles = [region.start, *((one.start + one.end) // 2 for one in own), region.end]
        assert max(np.diff(middles)) <= max(HOP + 1, WINDOW // 2 + 1)
    rows = np.concatenate([np.zeros(0, int), *batches(found, 3)])
    assert sorted(rows.tolist()) == list(range(len(found.spans)))
    for batch in batches(found, 3):
        assert len({found.spans[row].length for row in batch}) == 1
        assert len(batch) <= 3


def test_the_number_of_windows_is_bounded() -> None:
    day = 86_400 * SECOND
    assert len(windows_of([Span(0, day)], day, HOP).spans) <= 20_001


@pytest.mark.parametrize("people", [1, 2, 5])
def test_groups_are_found(people: int) -> None:
    truth = [number % people for number in range(60)]
    found = cluster(voices(truth), np.ones(60), SpeakerCount())
    assert found.tolist() == truth


def test_a_count_decides_where_it_is_given() -> None:
    vectors = voices([0, 1, 2, 3] * 5)
    for fewest, most, expected in ((1, 2, 2), (3, 3, 3), (6, None, 6), (1, None, 4), (99, 99, 20)):
        found = cluster(vectors, np.ones(20), SpeakerCount(fewest, most))
        assert len(set(found.tolist())) == expected


@pytest.mark.parametrize(("near", "far", "groups"), [(10.0, 1.0, 1), (1.0, 10.0, 2)])
def test_the_weights_count(near: float, far: float, groups: int) -> None:
    # The last two become one; how far the first is from them depends on which of them weighs more.
    angles = np.radians([0, 30, 55])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found = cluster(vectors, np.array([1.0, near, far]), SpeakerCount(threshold=0.25))
    assert len(set(found.tolist())) == groups


def test_many_are_grouped_in_two_stages() -> None:
    count = 3 * MAX_AT_ONCE
    truth = [(number // 7) % 3 for number in range(count)]
    found = cluster(voices(truth), np.ones(count), SpeakerCount())
    assert found.tolist() == truth


@given(st.integers(1, 12), st.integers(0, 10_000))
def test_linkage_is_the_textbooks(count: int, seed: int) -> None:
    vectors = unit(np.random.default_rng(seed).random((count, 4), np.float32))
    found = cluster(vectors, np.ones(count), SpeakerCount(threshold=0.1))
    assert found.tolist() == _slow_average_linkage(vectors, 0.1)


def _slow_average_linkage(vectors: Vectors, threshold: float) -> list[int]:
    groups = [[index] for index in range(len(vectors))]
    distances = 1 - (vectors @ vectors.T).astype(np.float64)

    def apart(one: list[int], other: list[int]) -> float:
        return float(distances[np.ix_(one, other)].mean())

    while len(groups) > 1:
        pairs = [(i, j) for i in range(len(groups)) for j in range(i)]
        i, j = min(pairs, key=lambda pair: apart(groups[pair[0]], groups[pair[1]]))
        if apart(groups[i], groups[j]) > threshold:
            break
        groups[j] += groups.pop(i)
    groups.sort(key=min)
    return [
        next(number for number, group in enumerate(groups) if index in group)
        for index in range(len(vectors))
    ]


def test_a_change_is_put_in_the_pause_between_turns() -> None:
    region = Span(0, 10 * SECOND)
    pcm = np.random.default_rng(0).normal(0, 3000, region.length).astype(np.int16)
    pcm[int(4.9 * SECOND) : int(5.1 * SECOND)] = 0
    windows = windows_of([region], region.length, HOP)
    truth = [0 if middle < 5 * SECOND else 1 for middle in windows.middles]

    turns = decode(windows, voices(truth), np.array(truth), [region], pcm, Smoothing())

    assert [turn.speaker for turn in turns] == [0, 1]
    assert turns[0].span.start == 0
    assert turns[1].span.end == region.end
    assert turns[0].span.end == turns[1].span.start
    assert 4.9 * SECOND <= turns[0].span.end <= 5.1 * SECOND


@given(st.data())
def test_turns_cover_the_regions_and_nothing_else(data: st.DataObject) -> None:
    regions, place = [], 0
    for _ in range(data.draw(st.integers(1, 4))):
        length = data.draw(st.integers(100, 150_000))
        regions.append(Span(place, place + length))
        place += length + data.draw(st.integers(1, 30_000))
    windows = windows_of(regions, max(place, SHORTEST), HOP)
    labels = np.array([data.draw(st.integers(0, 2)) for _ in windows.spans])
    pcm = np.zeros(place, np.int16)

    turns = decode(windows, voices(labels.tolist()), labels, regions, pcm, Smoothing())

    covered = [(turn.span.start, turn.span.end) for turn in turns]
    assert all(start < end for start, end in covered)
    assert covered == sorted(covered)
    assert sum(end - start for start, end in covered) == sum(one.length for one in regions)
    edges = {edge for region in regions for edge in (region.start, region.end)}
    assert edges <= {edge for pair in covered for edge in pair}


def test_viterbi_changes_only_where_it_pays() -> None:
    scores = np.zeros((9, 2))
    scores[4, 1] = 0.3  # a tremor
    scores[:4, 0] = scores[5:, 0] = 0.1
    assert viterbi(scores, np.full(9, 0.2)).tolist() == [0] * 9
    scores[4:, 1] = 0.5
    assert viterbi(scores, np.full(9, 0.2)).tolist() == [0] * 4 + [1] * 5


def word(text: str, start: float, end: float) -> Word:
    return Word(text, start, end, 0.5)


def told(*segments: tuple[float, float, str]) -> Diarization:
    names = dict.fromkeys(speaker for _, _, speaker in segments)
    return Diarization(
        tuple(DiarizedSpeaker(name, 1.0) for name in names),
        tuple(SpeakerSegment(*segment) for segment in segments),
    )


def test_an_utterance_is_cut_where_the_speaker_changes() -> None:
    words = (word("a", 0.0, 0.4), word("b", 0.5, 1.1), word("c", 1.2, 1.5), word("d", 3.0, 3.2))
    found = Transcript(
        "a b c d",
        words,
        (Utterance(0.0, 1.5, "a b c", 0.9), Utterance(3.0, 3.2, "d", 0.8)),
        0.5,
        4.0,
    )

    told_apart = with_speakers(found, told((0.0, 1.0, "A"), (1.0, 1.6, "B"), (2.0, 2.5, "A")))

    assert [one.speaker for one in told_apart.words] == ["A", "A", "B", "A"]
    assert [(one.text, one.speaker, one.start, one.end) for one in told_apart.utterances] == [
        ("a b", "A", 0.0, 1.1),
        ("c", "B", 1.2, 1.5),
        ("d", "A", 3.0, 3.2),
    ]
    # A cut utterance is as sure as its words, a whole one as the model said.
    assert [one.confidence for one in told_apart.utterances] == [0.5, 0.5, 0.8]
    assert told_apart.text == found.text
    assert [one.label for one in told_apart.speakers or ()] == ["A", "B"]


def test_without_words_an_utterance_has_the_speaker_of_its_greater_part() -> None:
    found = Transcript("x", (), (Utterance(0.0, 4.0, "x", 0.9),), 0.9, 4.0)
    told_apart = with_speakers(found, told((0.0, 1.0, "A"), (1.0, 4.0, "B")))
    assert [one.speaker for one in told_apart.utterances] == ["B"]


def test_without_speech_nothing_is_said_of_speakers() -> None:
    found = Transcript("", (), (), 0.0, 1.0)
    assert with_speakers(found, Diarization()).speakers == ()


KNOWN = KnownVoices(
    ("ann", "ann", "bob"),
    ("Ann", "Ann", "Bob"),
    unit(np.array([[1, 0, 0], [0, 1, 0], [0.9, 0.1, 0.4]], np.float32)),
)


@pytest.mark.parametrize(
    ("voice", "seconds", "expected"),
    [
        ((0, 1, 0.1), 5.0, "ann"),  # by the second of her prototypes
        ((0, 1, 0.1), 0.5, None),  # too little said
        ((0, 0, 1), 5.0, None),  # like nobody
        ((0.97, 0.05, 0.2), 5.0, None),  # as much like one as like the other
        ((0.85, 0.1, 0.5), 5.0, "bob"),
    ],
)
def test_open_set_decisions(
    voice: tuple[float, float, float], seconds: float, expected: str | None
) -> None:
    vector = unit(np.array(voice, np.float32))
    (found,) = decided([DiarizedSpeaker("A", seconds)], [vector], KNOWN, MatchingRules(0.8, 0.05))
    assert (found.known.id if found.known else None) == expected
    assert found.identity is (Identity.KNOWN if expected else Identity.UNKNOWN)
    assert {one.id for one in found.candidates} == {"ann", "bob"}


def test_a_voice_of_another_model_matches_nobody() -> None:
    vector = unit(np.ones(5, np.float32))
    (found,) = decided([DiarizedSpeaker("A", 9.0)], [vector], KNOWN, MatchingRules())
    assert found.candidates == ()
    assert found.identity is Identity.UNKNOWN
    assert similarity(vector, KNOWN) is None
