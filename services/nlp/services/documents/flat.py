"""A text without its tags, with everything in it that no model may touch folded into one place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

OBJECT = "\ufffc"
"""Stands for a held thing: the Unicode character for an object among text."""


class Tag(NamedTuple):
    """Something of no width.

    Attributes:
        place: Of the character that it stands before.
        raw: As it was written.
    """

    place: int
    raw: str


class Held(NamedTuple):
    """Something that a reader sees and no model translates.

    Attributes:
        raw: As it was written.
        shown: What stands in the translation.
    """

    raw: str
    shown: str


class Span(NamedTuple):
    """Characters that are to be held.

    Attributes:
        start: First place.
        end: After the last.
        shown: What stands in the translation; None is what was written.
    """

    start: int
    end: int
    shown: str | None = None


@dataclass(frozen=True, slots=True)
class Flat:
    """A block of text.

    Attributes:
        text: What a reader sees, with `OBJECT` for each held thing.
        raw: How each character was written; a held thing's is its whole spelling.
        held: By place.
        tags: In order.
        html: Whether what is put in must be escaped.
    """

    text: str
    raw: Sequence[str]
    held: Mapping[int, Held]
    tags: Sequence[Tag] = ()
    html: bool = False

    def escaped(self, text: str) -> str:
        """A translation as it is written in this block."""
        return escape(text, quote=False).replace("\xa0", "&nbsp;") if self.html else text

    def shown(self, start: int, end: int, tags: Sequence[Tag] = ()) -> str:
        """Characters as they were written, with what is shown for held things.

        Args:
            start: First place.
            end: After the last.
            tags: To put among them.
        """
        if not tags and not self.held:
            return "".join(self.raw[start:end])
        parts: list[str] = []
        done = start
        for tag in tags:
            parts += [self._shown(place) for place in range(done, tag.place)]
            parts.append(tag.raw)
            done = tag.place
        parts += [self._shown(place) for place in range(done, end)]
        return "".join(parts)

    def _shown(self, place: int) -> str:
        held = self.held.get(place)
        return self.raw[place] if held is None else held.shown


def fold(flat: Flat, spans: Sequence[Span]) -> Flat:
    """The text with each span as one held thing.

    Tags inside a span become part of it; held things inside it too.

    Args:
        flat: What has the spans.
        spans: In order, not empty, without overlap.
    """
    if not spans:
        return flat
    text: list[str] = []
    raw: list[str] = []
    held: dict[int, Held] = {}
    tags: list[Tag] = []
    waiting = list(reversed(flat.tags))

    def keep(start: int, end: int) -> None:
        shift = len(raw) - start
        while waiting and waiting[-1].place <= end:
            tag = waiting.pop()
            tags.append(Tag(tag.place + shift, tag.raw))
        if flat.held:
            found = ((place, flat.held.get(place)) for place in range(start, end))
            held.update((place + shift, one) for place, one in found if one is not None)
        text.append(flat.text[start:end])
        raw.extend(flat.raw[start:end])

    done = 0
    for span in spans:
        keep(done, span.start)
        written: list[str] = []
        for place in range(span.start, span.end):
            while waiting and waiting[-1].place == place:
                written.append(waiting.pop().raw)
            written.append(flat.raw[place])
        spelling = "".join(written)
        held[len(raw)] = Held(spelling, spelling if span.shown is None else span.shown)
        text.append(OBJECT)
        raw.append(spelling)
        done = span.end
    keep(done, len(flat.text))
    return Flat("".join(text), raw, held, tags, flat.html)
