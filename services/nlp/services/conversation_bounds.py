"""What one conversation may bring, checked before anything costly sees it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.nlp.models.conversation import ConversationOrder, Segment
from shared.problem import InvalidField
from shared.text.clean import clean_text, is_blank
from shared.text.problems import EmptyText, TextTooLong

MAX_SPEAKERS = 20


@dataclass(frozen=True, slots=True)
class ConversationBounds:
    """Bounds of one request.

    Attributes:
        segments: How many.
        characters: In one segment.
        total: In all segments.
    """

    segments: int
    characters: int
    total: int

    def check(self, order: ConversationOrder) -> int:
        """Characters in all; the error names the first place that is wrong.

        Raises:
            InvalidField: Codes `too_many_segments`, `too_many_speakers`, `invalid_time`,
                `unknown_speaker`, `empty_text`.
            TextTooLong: One text, or all together, are too long.
        """
        if not order.segments:
            raise EmptyText("/segments", "There is no segment.")
        if len(order.segments) > self.segments:
            raise InvalidField(
                f"One conversation has at most {self.segments} segments.",
                pointer="/segments",
                code="too_many_segments",
            )
        for index, segment in enumerate(order.segments):
            if len(segment.text) > self.characters:
                raise TextTooLong(self.characters, f"/segments/{index}/text")
            if segment.end < segment.start:
                raise InvalidField(
                    "A segment ends before it starts.",
                    pointer=f"/segments/{index}/end",
                    code="invalid_time",
                )
        total = sum(len(segment.text) for segment in order.segments)
        if total > self.total:
            raise TextTooLong(self.total, "/segments")
        if all(is_blank(segment.text) for segment in order.segments):
            raise EmptyText("/segments", "Nobody says anything.")
        _check_speakers(order)
        return total


def _check_speakers(order: ConversationOrder) -> None:
    speakers = {segment.speaker for segment in order.segments}
    if len(speakers) > MAX_SPEAKERS:
        raise InvalidField(
            f"One conversation has at most {MAX_SPEAKERS} speakers.",
            pointer="/segments",
            code="too_many_speakers",
        )
    if not speakers.issuperset(order.roles):
        raise InvalidField(
            "A role is given to a speaker who says nothing.",
            pointer="/roles",
            code="unknown_speaker",
        )


def cleaned(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The segments without characters that nobody can say."""
    return tuple(replace(one, text=clean_text(one.text)) for one in segments)
