"""Formats of transcripts: what public parsers read of them, speakers, channels, CSV."""

import csv
import io
from itertools import groupby

import pytest
import srt
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from services.asr.models.audio import TranscriptFormat
from services.asr.models.transcript import Transcript, Utterance, Word
from services.asr.services.subtitles import cues, render, turns

texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12
).filter(str.strip)
FORMULAS = ["=1+1", "+1", "-1", "@A1", "\t=1", "\uff1d1"]


def transcript(*words: Word) -> Transcript:
    """One utterance for each change of speaker or channel."""
    utterances = []
    for (speaker, channel), group in groupby(words, lambda word: (word.speaker, word.channel)):
        own = list(group)
        text = " ".join(word.word for word in own)
        utterances.append(Utterance(own[0].start, own[-1].end, text, 0.5, channel, speaker))
    text = " ".join(word.word for word in words)
    return Transcript(text, words, tuple(utterances), 0.5, 100.0)


def spoken(texts: list[str]) -> Transcript:
    return transcript(
        *(Word(text, index * 1.0, index + 0.9, 0.5) for index, text in enumerate(texts))
    )


TALK = transcript(
    Word("good", 0.0, 0.4, 0.9, speaker="A"),
    Word("day", 0.4, 0.8, 0.9, speaker="A"),
    Word("hello", 1.0, 1.4, 0.8, speaker="B"),
)
CHANNELS = transcript(
    Word("one", 0.0, 1.0, 0.9, channel=0),
    Word("yes", 0.5, 0.9, 0.9, channel=1),
    Word("two", 1.0, 2.0, 0.9, channel=0),
)


@pytest.mark.parametrize("wanted", ["transcript", "txt", "json", "verbose", "verbose_json"])
def test_the_text_itself(wanted: str) -> None:
    assert render(TALK, TranscriptFormat(wanted)) == "good day hello"


@given(st.lists(texts, min_size=1, max_size=30))
def test_srt_is_read_by_a_public_parser(given: list[str]) -> None:
    found = spoken(given)
    parsed = list(srt.parse(render(found, TranscriptFormat.SRT), ignore_errors=False))
    assert [one.content for one in parsed] == [cue.text.strip() for cue in cues(found)]
    assert [one.index for one in parsed] == list(range(1, len(parsed) + 1))
    assert [one.start.total_seconds() for one in parsed] == [
        pytest.approx(cue.start, abs=0.001) for cue in cues(found)
    ]


@pytest.mark.parametrize("wanted", ["vtt", "webvtt"])
def test_webvtt_is_read_by_a_public_parser(wanted: str) -> None:
    found = spoken(["a<b", "x-->y", "R&D", "plain"] * 10)
    document = render(found, TranscriptFormat(wanted))
    parsed = webvtt.from_buffer(io.StringIO(document))
    assert len(parsed) == len(list(cues(found))) > 1
    assert parsed[0].raw_text.startswith("a&lt;b x--&gt;y R&amp;D plain")


def test_speakers_have_lines_of_their_own() -> None:
    assert render(TALK, TranscriptFormat.SRT).splitlines()[2::4] == ["A: good day", "B: hello"]
    parsed = webvtt.from_buffer(io.StringIO(render(TALK, TranscriptFormat.VTT)))
    assert [(one.voice, one.text) for one in parsed] == [("A", "good day"), ("B", "hello")]
    assert [(turn.speaker, turn.text) for turn in turns(TALK)] == [
        ("A", "good day"),
        ("B", "hello"),
    ]


def test_channels_do_not_mix() -> None:
    assert [(cue.channel, cue.text) for cue in cues(CHANNELS)] == [(0, "one two"), (1, "yes")]


@given(st.lists(texts | st.sampled_from(FORMULAS), min_size=1, max_size=20))
def test_csv_is_inert_and_complete(given: list[str]) -> None:
    words = [Word(text, index, index + 0.9, 0.5, text) for index, text in enumerate(given)]
    document = render(transcript(*words), TranscriptFormat.CSV)
    assert document.endswith("\r\n")
    header, *rows = csv.reader(io.StringIO(document, newline=""), strict=True)
    assert header == ["index", "start", "end", "speaker", "channel", "confidence", "text"]
    assert [row[0] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
    for row in rows:
        assert len(row) == len(header)
        assert not any(cell.startswith(tuple("=+-@\t\uff1d\uff0b\uff0d\uff20")) for cell in row)
    joined = "".join(row[-1].removeprefix("'") for row in rows)
    assert [*joined.replace("'", "").replace(" ", "")] == [
        character for text in given for character in "".join(text.split()).replace("'", "")
    ]


def test_csv_of_utterances() -> None:
    found = Transcript("a, b", (), (Utterance(1.0, 2.0, 'a, "b"', 0.25, 1),), 0.25, 3.0)
    assert render(found, TranscriptFormat.CSV).splitlines()[1] == (
        '1,1.000,2.000,,1,0.2500,"a, ""b"""'
    )
