"""Subtitles, alternatives and processors."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.asr.models.audio import TranscriptFormat
from services.asr.models.transcript import Hypothesis, Recognition, Transcript, Utterance, Word
from services.asr.services.alternatives import word_alternatives
from services.asr.services.processors import check_processors, post_process
from services.asr.services.subtitles import MAX_CUE_CHARACTERS, MAX_CUE_S, cues, render
from shared.problem import InvalidField


def transcript(*words: Word) -> Transcript:
    text = " ".join(word.word for word in words)
    utterances = (Utterance(words[0].start, words[-1].end, text, 0.5),) if words else ()
    return Transcript(text, words, utterances, 0.5, 10.0)


TWO = transcript(Word("hello", 0.5, 1.0, 0.9), Word("<world>", 3661.0, 3661.5, 0.8))


def test_plain() -> None:
    assert render(TWO, TranscriptFormat.TRANSCRIPT) == "hello <world>"


def test_srt() -> None:
    assert render(TWO, TranscriptFormat.SRT) == (
        "1\n00:00:00,500 --> 00:00:01,000\nhello\n\n2\n01:01:01,000 --> 01:01:01,500\n<world>\n"
    )


def test_webvtt() -> None:
    assert render(TWO, TranscriptFormat.WEBVTT) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.000\nhello\n\n"
        "01:01:01.000 --> 01:01:01.500\n&lt;world&gt;\n"
    )


@pytest.mark.parametrize(
    ("wanted", "expected"), [(TranscriptFormat.SRT, ""), (TranscriptFormat.WEBVTT, "WEBVTT\n")]
)
def test_no_speech(wanted: TranscriptFormat, expected: str) -> None:
    assert render(transcript(), wanted) == expected


def test_without_words_an_utterance_is_a_cue() -> None:
    found = Transcript("a b", (), (Utterance(1.0, 2.0, "a b", 0.5),), 0.5, 3.0)
    assert render(found, TranscriptFormat.SRT) == "1\n00:00:01,000 --> 00:00:02,000\na b\n"


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 30)), min_size=1, max_size=60))
def test_cues_can_be_read(pieces: list[tuple[float, int]]) -> None:
    words, now = [], 0.0
    for length, characters in pieces:
        words.append(Word("x" * characters, now, now + length, 0.5))
        now += length
    found = list(cues(transcript(*words)))
    assert " ".join(cue.text for cue in found) == " ".join(word.word for word in words)
    for cue in found:
        assert len(cue.text) <= MAX_CUE_CHARACTERS
        assert cue.start < cue.end
        assert cue.end - cue.start <= MAX_CUE_S + 1e-6
    stamps = re.findall(r"\d\d:\d\d:\d\d,\d{3}", render(transcript(*words), TranscriptFormat.SRT))
    assert len(stamps) == 2 * len(found)


class TestAlternatives:
    def test_other_words_in_the_same_place(self) -> None:
        found = word_alternatives(
            Recognition(
                "the cat sat",
                (),
                1.0,
                (
                    Hypothesis("the cat sat", 3),
                    Hypothesis("the bat sat", 2),
                    Hypothesis("a cat sat", 1),
                ),
            ),
            2,
        )
        assert [one.word for one in found] == ["the", "cat", "sat"]
        assert [token for token, _ in found[0].tokens] == ["the", "a"]
        assert [token for token, _ in found[1].tokens] == ["cat", "bat"]
        assert found[2].tokens == (("sat", 1.0),)

    def test_added_and_missing_words_are_no_alternatives(self) -> None:
        found = word_alternatives(
            Recognition("one two", (), 1.0, (Hypothesis("", 2), Hypothesis("one or two", 1))), 5
        )
        assert [one.tokens for one in found] == [(("one", 1.0),), (("two", 1.0),)]

    def test_without_hypotheses_each_word_is_its_own(self) -> None:
        assert word_alternatives(Recognition("one", (), 1.0), 3)[0].tokens == (("one", 1.0),)

    @given(st.lists(st.text("ab ", max_size=20), max_size=6), st.integers(1, 5))
    def test_weights_are_shares(self, texts: list[str], best: int) -> None:
        hypotheses = tuple(Hypothesis(text, 1.0) for text in texts)
        for one in word_alternatives(Recognition("a b a", (), 1.0, hypotheses), best):
            assert 1 <= len(one.tokens) <= best
            assert sum(weight for _, weight in one.tokens) <= 1.0 + 1e-3
            weights = [weight for _, weight in one.tokens]
            assert weights == sorted(weights, reverse=True)


async def shout(found: Transcript, _language: str) -> Transcript:
    return Transcript(
        found.text.upper(), found.words, found.utterances, found.confidence, found.duration
    )


class TestProcessors:
    @pytest.mark.parametrize(
        ("pre", "post", "code", "pointer"),
        [
            (["vad", "denoiser"], [], "unsupported_processor", "/config/preProcessors/1"),
            (["reverb"], [], "unknown_processor", "/config/preProcessors/0"),
            ([], ["punctuation"], "unsupported_processor", "/config/postProcessors/0"),
            ([], ["itn", "rhyme"], "unknown_processor", "/config/postProcessors/1"),
        ],
    )
    def test_nothing_is_left_out_in_silence(
        self, pre: list[str], post: list[str], code: str, pointer: str
    ) -> None:
        with pytest.raises(InvalidField) as caught:
            check_processors(pre, post, {"itn": shout})
        assert caught.value.code == code
        assert caught.value.members["errors"][0]["pointer"] == pointer

    async def test_a_served_one_runs(self) -> None:
        check_processors(["vad"], ["itn"], {"itn": shout})
        found = await post_process(TWO, ["itn"], "en", {"itn": shout})
        assert found.text == "HELLO <WORLD>"
