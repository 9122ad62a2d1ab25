import pytest

from services.nlp.services.conversation import timing
from tests.unit.services.nlp.conversation.given import Line, transcript

LONG = "this is a long thing to say and it goes on for a while"
UNFINISHED = frozenset({"and", "the"})


def cuts(*lines: Line) -> list[tuple[int, int, float]]:
    found = timing.cuts(transcript(*lines), UNFINISHED, 0.6)
    return [(cut.by.segment.index, cut.of.segment.index, round(cut.overlap, 2)) for cut in found]


def test_a_monologue_goes_on_over_murmurs_and_pauses() -> None:
    found = list(
        timing.monologues(
            transcript(
                ("A", 0, 10, LONG),
                ("C", 10, 11, "Mm-hmm, right."),
                ("A", 13, 20, LONG),
                ("C", 20, 24, "I see what you mean there."),
                ("A", 24, 25, "Good."),
            )
        )
    )
    assert [(one.speaker, one.seconds, one.end) for one in found] == [
        ("A", 17, 20),
        ("C", 4, 24),
    ]


def test_segments_of_one_speaker_that_overlap_count_once() -> None:
    lines: list[Line] = [("A", 0, 10, LONG), ("A", 2, 4, LONG), ("A", 8, 12, LONG)]
    (found,) = timing.monologues(transcript(*lines))
    assert (found.seconds, found.end) == (12, 12)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("C", 0, 5, LONG), ("A", 4, 9, LONG)], [(1, 0, 1.0)]),
        # As short as this, people only come in early.
        ([("C", 0, 5, LONG + "."), ("A", 4.5, 9, LONG)], []),
        # Agreeing aloud is no cut, nor is what ends before the other one does.
        ([("C", 0, 5, LONG), ("A", 4, 9, "Yes, exactly.")], []),
        ([("C", 0, 9, LONG), ("A", 4, 8, LONG)], []),
        # Both begin together: nobody was cut.
        ([("C", 0, 3, LONG), ("A", 0.1, 5, LONG)], []),
        # The murmur of the other one is not the word taken.
        ([("C", 0, 1.5, "Yes."), ("A", 0.5, 5, LONG)], []),
        # Stopped in mid-sentence by a quick takeover.
        ([("C", 0, 5, "I wanted to tell you about the"), ("A", 5.1, 9, LONG)], [(1, 0, 0.0)]),
        ([("C", 0, 5, "I wanted to tell you -"), ("A", 5.1, 9, LONG)], [(1, 0, 0.0)]),
        ([("C", 0, 5, "I wanted to tell you about the"), ("A", 6, 9, LONG)], []),
        ([("C", 0, 5, "I told you about that."), ("A", 5.1, 9, LONG)], []),
        # In a request the segments may stand in any order.
        ([("A", 4, 9, LONG), ("C", 0, 5, LONG)], [(0, 1, 1.0)]),
        # Of three, the one who is still speaking is cut.
        ([("C", 0, 5, LONG), ("D", 1, 2, LONG), ("A", 4, 9, LONG)], [(2, 0, 1.0)]),
    ],
)
def test_cuts(lines: list[Line], expected: list[tuple[int, int, float]]) -> None:
    assert cuts(*lines) == expected


def test_responses_leave_murmurs_out() -> None:
    found = timing.responses(
        transcript(
            ("C", 0, 5, "How does that work for us?"),
            ("A", 5.5, 6, "Hm."),
            ("A", 9, 12, "It works in three steps."),
            ("C", 11, 14, "And what are they, please?"),
            ("A", 16, 19, "I will tell you now."),
        )
    )
    assert [(one.answer.said[0].segment.index, one.seconds) for one in found] == [
        (1, 0.5),
        (3, 0.0),
        (4, 2.0),
    ]


def test_a_murmur_before_a_silence_ends_it() -> None:
    (found,) = timing.responses(
        transcript(
            ("C", 0, 5, "How does that work for us?"),
            ("D", 6, 7, "Yes."),
            ("A", 9, 12, "It works in three steps."),
        )
    )
    assert found.seconds == 2
