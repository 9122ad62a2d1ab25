"""The streamed answers: bodies of their requests, and how bytes and times are put on the wire.

Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) have one JSON
object each. The native ones are `start`, `words`, `mark`, `audio`, and at the end `done` or
`error`; times come before the audio that they belong to.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

import orjson
import pybase64
from pydantic import AliasChoices, Field

from services.tts.models.sound import SpeechPart, TimedMark, TimedWord
from services.tts.schemas.speech import SpeechRequest, TextItem
from services.tts.services.outputs import media_type
from services.tts.services.speech_stream import SpeechStream
from shared.dialects import wire_error
from shared.problem import SpeechgateError

StreamFormat = Literal["audio", "sse"]
EVENTS = "text/event-stream"


class StreamRequest(SpeechRequest):
    """Body of `POST /api/v1/tts/stream`: that of `inference`, with one text."""

    input: Annotated[list[TextItem], Field(min_length=1, max_length=1)]
    stream_format: StreamFormat = Field(
        default="audio",
        validation_alias=AliasChoices("streamFormat", "stream_format"),
        description="The file itself, or events that hold its parts",
    )


class Framing(Protocol):
    """How a stream is put on the wire."""

    def media_type(self, stream: SpeechStream) -> str:
        """Of the answer."""

    def opening(self, stream: SpeechStream) -> bytes:
        """What goes before the first part."""

    def part(self, part: SpeechPart) -> bytes:
        """A part; may be nothing."""

    def ending(self, stream: SpeechStream) -> bytes:
        """What follows the last part."""

    def failure(self, error: SpeechgateError) -> bytes | None:
        """What says that the rest is missing; None where only a broken connection can."""


class BareAudio:
    """The file and nothing else."""

    def media_type(self, stream: SpeechStream) -> str:
        """See `Framing`."""
        return media_type(stream.output)

    def opening(self, _: SpeechStream) -> bytes:
        """See `Framing`."""
        return b""

    def part(self, part: SpeechPart) -> bytes:
        """See `Framing`."""
        return part.content

    def ending(self, _: SpeechStream) -> bytes:
        """See `Framing`."""
        return b""

    def failure(self, _: SpeechgateError) -> None:
        """See `Framing`."""


class NativeEvents:
    """Events with marks and times.

    Args:
        path: Of the request.
        request_id: For the error's document.
    """

    def __init__(self, path: str, request_id: str) -> None:
        self._path = path
        self._request_id = request_id

    def media_type(self, _: SpeechStream) -> str:
        """See `Framing`."""
        return EVENTS

    def opening(self, stream: SpeechStream) -> bytes:
        """See `Framing`."""
        return event(
            {
                "type": "start",
                "id": stream.id,
                "audioFormat": stream.output.audio_format.value,
                "samplingRate": stream.output.sampling_rate,
                "mediaType": media_type(stream.output),
            }
        )

    def part(self, part: SpeechPart) -> bytes:
        """See `Framing`."""
        events = [event(told) for told in times_of(part.marks, part.words)]
        if part.content:
            events.append(event({"type": "audio", "audio": _base64(part.content)}))
        return b"".join(events)

    def ending(self, stream: SpeechStream) -> bytes:
        """See `Framing`."""
        return event(
            {
                "type": "done",
                "id": stream.id,
                "duration": stream.duration_s,
                "usage": {"characters": stream.characters},
            }
        )

    def failure(self, error: SpeechgateError) -> bytes:
        """See `Framing`."""
        wire = wire_error(error, path=self._path, request_id=self._request_id)
        return event({"type": "error", "error": orjson.Fragment(wire.body)})


class OpenAiEvents:
    """`speech.audio.delta` and `speech.audio.done`.

    Args:
        path: Of the request.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def media_type(self, _: SpeechStream) -> str:
        """See `Framing`."""
        return EVENTS

    def opening(self, _: SpeechStream) -> bytes:
        """See `Framing`."""
        return b""

    def part(self, part: SpeechPart) -> bytes:
        """See `Framing`."""
        if not part.content:
            return b""
        return event({"type": "speech.audio.delta", "audio": _base64(part.content)})

    def ending(self, stream: SpeechStream) -> bytes:
        """See `Framing`; here are no tokens: characters and seconds are counted in their place."""
        read, spoken = stream.characters, round(stream.duration_s)
        usage = {"input_tokens": read, "output_tokens": spoken, "total_tokens": read + spoken}
        return event({"type": "speech.audio.done", "usage": usage})

    def failure(self, error: SpeechgateError) -> bytes:
        """See `Framing`."""
        wire = wire_error(error, path=self._path, request_id="")
        return event({"type": "error", **orjson.loads(wire.body)})


def times_of(marks: Sequence[TimedMark], words: Sequence[TimedWord]) -> Iterator[dict[str, object]]:
    """The events `mark` and `words` of a part."""
    for one in marks:
        yield {"type": "mark", "name": one.name, "time": one.time}
    if words:
        told = [{"word": one.word, "start": one.start, "end": one.end} for one in words]
        yield {"type": "words", "words": told}


def event(content: Mapping[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: %b\n\n" % orjson.dumps(content)


def _base64(content: bytes) -> str:
    return pybase64.b64encode(content).decode("ascii")
