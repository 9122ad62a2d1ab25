"""From what a client wrote to what is spoken, in order."""

from collections.abc import Iterable, Mapping

from services.tts.models.script import Mark, Pause, Say, Script, Step
from services.tts.services.chunking import Chunk, Chunker
from services.tts.services.flow import Flow
from services.tts.services.normalization import normalize_text
from services.tts.services.pronunciation import Pronunciations
from services.tts.services.say_as import say_as
from services.tts.services.ssml import looks_like_ssml, parse_ssml
from services.tts.services.ssml_events import (
    Bookmark,
    Boundary,
    Break,
    Event,
    Manner,
    SayAs,
    Substitute,
    Text,
)
from shared.text.clean import clean_text
from shared.text.languages import primary_language
from shared.text.problems import EmptyText, TextTooLong

_FACTOR, _AT_LEAST = 16, 1_000
"""How much longer the spoken words may be than the text: numbers and aliases make it grow."""
_MOST_CHARACTERS = 200_000
_NO_LEXICON = Pronunciations({})


def write_script(
    text: str,
    *,
    markup: bool | None,
    language: str,
    limit: int,
    lexicon: Mapping[str, str],
    pointer: str,
) -> Script:
    """What is to be spoken, in order.

    In plain text single line breaks are white space (text is often wrapped), and an empty line
    ends a sentence.

    Args:
        text: Within its bound on length.
        markup: Whether it is SSML; None for as it looks.
        language: ISO 639 code, with a region if wanted.
        limit: Longest `Say`, in characters.
        lexicon: Aliases by phrase; `Pronunciations` saves making it ready each time.
        pointer: Of the text in the request (RFC 6901).

    Raises:
        SsmlMalformed: The SSML is no XML.
        SsmlUnsupported: The SSML has what is not served.
        SsmlInvalidValue: The SSML has a value that means nothing here.
        SsmlTooComplex: The SSML has too much of something.
        EmptyText: Nothing in it can be spoken.
        TextTooLong: In words it is longer than texts may be.
    """
    if len(text) > _MOST_CHARACTERS:
        raise TextTooLong(_MOST_CHARACTERS, pointer)
    cleaned = clean_text(text)
    ready = lexicon if isinstance(lexicon, Pronunciations) else Pronunciations(lexicon)
    as_ssml = looks_like_ssml(cleaned) if markup is None else markup
    events: Iterable[Event] = (
        parse_ssml(cleaned.lstrip(), pointer) if as_ssml else [Text(cleaned, Manner())]
    )
    script = _Writer(language, limit, ready).write(events)
    spoken = sum(len(step.text) for step in script if isinstance(step, Say))
    if not spoken:
        raise EmptyText(pointer, "Nothing in the text can be spoken.")
    most = _FACTOR * len(text) + _AT_LEAST
    if spoken > most:
        raise TextTooLong(most, pointer)
    return script


class _Writer:
    """Writes one script."""

    def __init__(self, language: str, limit: int, lexicon: Pronunciations) -> None:
        self._language = language
        self._lexicon = lexicon
        self._chunker = Chunker(limit)
        self._steps: list[Step] = []
        self._manner = Manner()
        self._flow = self._new_flow()

    def write(self, events: Iterable[Event]) -> Script:
        for event in events:
            self._take(event)
        self._flush(ended=True)
        return tuple(self._steps)

    def _take(self, event: Event) -> None:
        if isinstance(event, Text):
            self._in(event.manner).add(event.text)
        elif isinstance(event, Substitute):
            spoken = normalize_text(event.alias, self._spoken_in(event.manner))
            self._in(event.manner).add_fixed(event.source, spoken)
        elif isinstance(event, SayAs):
            spoken = say_as(
                event.text, event.interpret_as, event.form, self._spoken_in(event.manner)
            )
            self._in(event.manner).add_fixed(event.text, spoken)
        else:
            self._flush(ended=isinstance(event, Boundary))
            self._between(event)

    def _between(self, event: Bookmark | Boundary | Break) -> None:
        if isinstance(event, Bookmark):
            self._steps.append(Mark(event.name))
        elif isinstance(event, Break):
            last = self._steps[-1] if self._steps else None
            if isinstance(last, Pause):  # One silence is as long as all of them.
                self._steps[-1] = Pause(round(last.seconds + event.seconds, 6))
            else:
                self._steps.append(Pause(event.seconds))

    def _in(self, manner: Manner) -> Flow:
        if manner != self._manner:
            self._flush(ended=False)
            self._manner = manner
            self._flow = self._new_flow()
        return self._flow

    def _spoken_in(self, manner: Manner) -> str:
        return manner.language or self._language

    def _new_flow(self) -> Flow:
        language = self._spoken_in(self._manner)
        own = primary_language(language) == primary_language(self._language)
        return Flow(language, self._lexicon if own else _NO_LEXICON)

    def _flush(self, *, ended: bool) -> None:
        self._steps += map(self._say, self._flow.chunks(self._chunker, ended=ended))

    def _say(self, chunk: Chunk) -> Say:
        manner = self._manner
        return Say(
            text=chunk.text,
            source=chunk.source,
            language=manner.language if manner.language != self._language else None,
            speed=manner.speed,
            pitch=manner.pitch,
            volume=manner.volume,
            ends_sentence=chunk.ends_sentence,
        )
