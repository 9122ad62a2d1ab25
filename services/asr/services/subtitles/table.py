"""Transcripts as CSV (RFC 4180)."""

import csv
import io

from services.asr.models.transcript import Transcript
from services.asr.services.subtitles.cues import turns

HEADER = ("index", "start", "end", "speaker", "channel", "confidence", "text")
# What spreadsheets take for the start of a formula, in half and full width (OWASP, CSV injection).
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def table(transcript: Transcript) -> str:
    """A header and a row for each turn; times in seconds."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(HEADER)
    for index, turn in enumerate(turns(transcript), start=1):
        writer.writerow(
            (
                index,
                f"{turn.start:.3f}",
                f"{turn.end:.3f}",
                _inert(turn.speaker or ""),
                "" if turn.channel is None else turn.channel,
                f"{turn.confidence:.4f}",
                _inert(turn.text),
            )
        )
    return lines.getvalue()


def _inert(text: str) -> str:
    """The text, marked as text where a spreadsheet would run it."""
    return f"'{text}" if text.startswith(_FORMULA) else text
