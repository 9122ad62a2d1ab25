"""Transcripts as subtitles: SubRip (de-facto format) and WebVTT (https://www.w3.org/TR/webvtt1/)."""

from collections.abc import Iterator

from services.asr.models.audio import TranscriptFormat
from services.asr.models.transcript import Transcript, Utterance, Word

MAX_CUE_CHARACTERS = 84
"""Two lines of 42, the usual bound of readable subtitles."""
MAX_CUE_S = 7.0
MIN_CUE_S = 0.2


def render(transcript: Transcript, wanted: TranscriptFormat) -> str:
    """The transcript as plain text or as subtitles."""
    if wanted is TranscriptFormat.SRT:
        blocks = [
            f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{cue.text}\n"
            for number, cue in enumerate(cues(transcript), start=1)
        ]
        return "\n".join(blocks)
    if wanted is TranscriptFormat.WEBVTT:
        blocks = [
            f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{_escaped(cue.text)}\n"
            for cue in cues(transcript)
        ]
        return "\n".join(["WEBVTT\n", *blocks])
    return transcript.text


def cues(transcript: Transcript) -> Iterator[Utterance]:
    """Lines that can be read in the time they are shown."""
    if not transcript.words:
        yield from transcript.utterances
        return
    line: list[Word] = []
    for word in transcript.words:
        if line and _overfull(line, word):
            yield _cue(line)
            line = []
        line.append(word)
    yield _cue(line)


def _overfull(line: list[Word], word: Word) -> bool:
    characters = sum(len(one.word) + 1 for one in line) + len(word.word)
    return characters > MAX_CUE_CHARACTERS or word.end - line[0].start > MAX_CUE_S


def _cue(line: list[Word]) -> Utterance:
    start = line[0].start
    return Utterance(
        start=start,
        end=max(line[-1].end, start + MIN_CUE_S),
        text=" ".join(word.word for word in line),
        confidence=min(word.confidence for word in line),
    )


def _time(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, fraction = divmod(rest, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{mark}{fraction:03}"


def _escaped(text: str) -> str:
    """WebVTT reads `&` and `<` as markup, and `-->` as a cue's times."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
