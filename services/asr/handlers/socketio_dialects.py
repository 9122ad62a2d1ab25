"""The two event sets of Socket.IO clients: ai4i's own and Dhruva's.

| | ai4i | Dhruva |
|---|---|---|
| start | `({responseFrequencyInMs})` | `(task_sequence, {responseFrequencyInSecs})` |
| data | `(bytes, is_speaking, disconnect)` | `({audio}, config, clear, disconnect)` |
| answer | `response{transcript, isFinal, …}` | `response(tasks, {isIntermediateResult})` |
| refusal | `error{error, code, timestamp}` | `abort(message)` |

Both begin with `ready` and end with `terminate`.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
import pybase64

from services.asr.streaming.events import Event, Final, Partial, Ready
from services.asr.streaming.options import StreamOptions
from shared.streams import StreamRefused, invalid_start

Query = Mapping[str, str]
Emission = tuple[Any, ...]
_MOST_NAMES = 8
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Data:
    """A `data` event: audio, and what to do after it."""

    audio: bytes
    flush: bool
    stop: bool


class Dialect(Protocol):
    """How a client speaks."""

    def options(self, *given: Any) -> StreamOptions:
        """What `start` asks for; StreamRefused where it is malformed."""

    def data(self, *given: Any) -> Data:
        """What a `data` event brings; StreamRefused where it is malformed."""

    def told(self, event: Event, language: str) -> Iterator[Emission]:
        """The emissions of an event: name and arguments."""

    def failed(self, code: str, detail: str) -> Emission:
        """The emission of an error."""


class Ai4iDialect:
    """Options in the query, raw audio in `data`."""

    def __init__(self, query: Query) -> None:
        self._query = query

    def options(self, *given: Any) -> StreamOptions:
        """See `Dialect`."""
        query, config = self._query, given[0] if given and isinstance(given[0], dict) else {}
        return StreamOptions(
            language=_text(query.get("language", "en")),
            rate=_whole(query.get("samplingRate", 16_000), "samplingRate"),
            encoding=query.get("encoding", "pcm_s16le"),
            interim_ms=_whole(config.get("responseFrequencyInMs", 0), "responseFrequencyInMs"),
            service_id=query.get("serviceId"),
            pre_processors=_names(query.get("preProcessors"), "preProcessors"),
            post_processors=_names(query.get("postProcessors"), "postProcessors"),
        )

    def data(self, *given: Any) -> Data:
        """See `Dialect`."""
        audio, speaking, disconnect = (*given[:3], None, None, None)[:3]
        return Data(_audio(audio), speaking is False, disconnect is True)

    def told(self, event: Event, language: str) -> Iterator[Emission]:
        """See `Dialect`."""
        if isinstance(event, Ready):
            yield ("ready",)
        elif isinstance(event, Partial | Final):
            final = isinstance(event, Final)
            response = {
                "transcript": event.text,
                "isFinal": final,
                "confidence": event.confidence if isinstance(event, Final) else None,
                "timestamp": time.time(),
                "language": language,
                "start": event.start,
                "end": event.end,
            }
            yield "response", response

    def failed(self, code: str, detail: str) -> Emission:
        """See `Dialect`."""
        return "error", {"error": detail, "code": code, "timestamp": time.time()}


class DhruvaDialect:
    """A pipeline of one recognition; audio as bytes or base64."""

    def __init__(self, query: Query) -> None:
        self._query = query

    def options(self, *given: Any) -> StreamOptions:
        """See `Dialect`."""
        tasks, streaming = given[0], given[1] if len(given) > 1 else {}
        if len(tasks) != 1 or not isinstance(tasks[0], dict) or tasks[0].get("taskType") != "asr":
            raise invalid_start("A stream has one task, asr.")
        config = tasks[0].get("config") or {}
        language = config.get("language") if isinstance(config, dict) else None
        if not isinstance(language, dict) or not isinstance(streaming, dict):
            raise invalid_start("config.language.sourceLanguage is needed.")
        seconds = streaming.get("responseFrequencyInSecs", 0)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds != seconds:  # noqa: PLR0124 - NaN
            raise invalid_start("responseFrequencyInSecs is a number.")
        service_id = config.get("serviceId") or self._query.get("serviceId")
        return StreamOptions(
            language=_text(language.get("sourceLanguage")),
            rate=_whole(config.get("samplingRate", 16_000), "samplingRate"),
            encoding=_text(config.get("encoding") or "pcm_s16le"),
            interim_ms=int(min(max(seconds, -1), 1e6) * 1000),
            service_id=None if service_id is None else _text(service_id),
            pre_processors=_names(config.get("preProcessors"), "preProcessors"),
            post_processors=_names(config.get("postProcessors"), "postProcessors"),
        )

    def data(self, *given: Any) -> Data:
        """See `Dialect`."""
        brought, _, clear, disconnect = (*given[:4], *(None,) * 4)[:4]
        audio = b""
        if isinstance(brought, dict):
            items = brought.get("audio")
            if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
                raise StreamRefused("data brings {audio: [{audioContent}]}.", "invalid_message")
            audio = b"".join(_audio(one.get("audioContent")) for one in items)
        elif brought is not None:
            raise StreamRefused("data brings {audio: [{audioContent}]}.", "invalid_message")
        return Data(audio, clear is True, disconnect is True)

    def told(self, event: Event, language: str) -> Iterator[Emission]:
        """See `Dialect`."""
        if isinstance(event, Ready):
            yield ("ready",)
        elif isinstance(event, Partial | Final):
            config = {"language": {"sourceLanguage": language}}
            task = {"taskType": "asr", "output": [{"source": event.text}], "config": config}
            yield "response", [task], {"isIntermediateResult": isinstance(event, Partial)}

    def failed(self, code: str, detail: str) -> Emission:
        """See `Dialect`."""
        return "abort", f"{code}: {detail}"


def _audio(value: Any) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, str):
        try:
            found: bytes = pybase64.b64decode(value, validate=True)
        except ValueError as error:
            raise StreamRefused("The audio is not base64.", "invalid_frame") from error
        return found
    raise StreamRefused("Audio is bytes, or base64.", "invalid_frame")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 128:  # noqa: PLR2004 - as the other dialects
        raise invalid_start("language, serviceId and encoding are short texts.")
    return value


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not _WHOLE.fullmatch(str(value)):
        raise invalid_start(f"{name} is a whole number.")
    return int(value)


def _names(value: Any, member: str) -> tuple[str, ...]:
    """A list of names, as JSON where it comes in the query."""
    if value is None or value == "":
        return ()
    try:
        names = orjson.loads(value) if isinstance(value, str) else value
    except orjson.JSONDecodeError as error:
        raise invalid_start(f"{member} is a JSON list.") from error
    if not isinstance(names, list) or len(names) > _MOST_NAMES:
        raise invalid_start(f"{member} is a short list.")
    return tuple(map(_text, names))
