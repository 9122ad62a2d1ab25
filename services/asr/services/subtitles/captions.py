"""Subtitles: SubRip (de-facto format) and WebVTT (https://www.w3.org/TR/webvtt1/)."""

from services.asr.models.transcript import Transcript
from services.asr.services.subtitles.cues import cues


def srt(transcript: Transcript) -> str:
    """SubRip; a speaker stands before the text."""
    blocks = [
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n"
        f"{f'{cue.speaker}: ' if cue.speaker else ''}{cue.text}\n"
        for number, cue in enumerate(cues(transcript), start=1)
    ]
    return "\n".join(blocks)


def webvtt(transcript: Transcript) -> str:
    """WebVTT; a speaker is the voice of the cue."""
    blocks = [
        f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n"
        f"{f'<v {_escaped(cue.speaker)}>' if cue.speaker else ''}{_escaped(cue.text)}\n"
        for cue in cues(transcript)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _time(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, fraction = divmod(rest, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{mark}{fraction:03}"


def _escaped(text: str) -> str:
    """WebVTT reads `&` and `<` as markup, and `-->` as a cue's times."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
