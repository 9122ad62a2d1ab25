"""Transcripts in the formats that clients ask for; every dialect renders by these."""

from collections.abc import Callable, Mapping

from services.asr.models.audio import TranscriptFormat
from services.asr.models.transcript import Transcript
from services.asr.services.subtitles.captions import srt, webvtt
from services.asr.services.subtitles.cues import MAX_CUE_CHARACTERS, MAX_CUE_S, cues, turns
from services.asr.services.subtitles.table import table

__all__ = ["MAX_CUE_CHARACTERS", "MAX_CUE_S", "cues", "render", "turns"]

_RENDERERS: Mapping[TranscriptFormat, Callable[[Transcript], str]] = {
    TranscriptFormat.SRT: srt,
    TranscriptFormat.WEBVTT: webvtt,
    TranscriptFormat.VTT: webvtt,
    TranscriptFormat.CSV: table,
}


def render(transcript: Transcript, wanted: TranscriptFormat) -> str:
    """The transcript in a format; the text itself for those that are no text format."""
    renderer = _RENDERERS.get(wanted)
    return transcript.text if renderer is None else renderer(transcript)
