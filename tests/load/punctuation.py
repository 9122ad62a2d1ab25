"""How well rules restore punctuation and capitals: `python -m tests.load.punctuation`.

The prose is real, the pauses are not: none of its recordings is at hand, so silence is drawn by
what reading is said to do. Sentences end in 0.65 ± 0.25 s of it, commas in 0.28 ± 0.15 s; a tenth
of the other words is followed by up to 0.15 s, and every fiftieth by a hesitation of 0.3 to 0.8 s.
"""

import random
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.text.punctuation import written_words

PROSE = Path(__file__).resolve().parents[1] / "support" / "prose.txt"
GOALS = {"sentence ends": 0.78, "commas": 0.6, "question marks": 0.65, "capitals": 0.83}
_RUNS = 20
Pauses = Callable[[str, random.Random], float]


@dataclass
class Score:
    """Counts of one kind of mark."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, *, expected: bool, found: bool) -> None:
        """Count one place."""
        self.right += expected and found
        self.wrong += found and not expected
        self.missed += expected and not found

    @property
    def precision(self) -> float:
        """Of those found, the share that is right."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Of those expected, the share that is found."""
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)


def read_aloud(word: str, chance: random.Random) -> float:
    """Silence after a written word, in seconds."""
    mark = word[-1]
    if mark in ".?!" and word != "Mr.":
        return max(0.1, chance.gauss(0.65, 0.25))
    if mark in ",;:":
        return max(0.0, chance.gauss(0.28, 0.15))
    if chance.random() < 0.02:
        return chance.uniform(0.3, 0.8)
    return chance.uniform(0.0, 0.15) if chance.random() < 0.1 else 0.0


def without_pauses(_word: str, _chance: random.Random) -> float:
    """What a text without times has."""
    return 0.0


def known_ends(word: str, _chance: random.Random) -> float:
    """What is left to find where the ends of sentences are given."""
    return 5.0 if word[-1] in ".?!" and word != "Mr." else 0.0


def measure(pauses: Pauses, runs: int = _RUNS) -> dict[str, Score]:
    """Scores over the prose, paragraph by paragraph."""
    scores = {name: Score() for name in GOALS}
    paragraphs = [line for line in PROSE.read_text().splitlines() if line[0] != "#"]
    chance = random.Random(7)
    for paragraph in paragraphs * runs:
        truth = paragraph.split()
        silence = [pauses(word, chance) for word in truth[:-1]]
        spoken = [re.sub(r"[.,;:?!]+$", "", word).lower() for word in truth]
        found = written_words(spoken, [*silence, float("inf")])
        for place, (expected, written) in enumerate(zip(truth, found, strict=True)):
            if expected == "Mr.":
                continue
            ends = expected[-1] in ".?!"
            if place + 1 < len(truth):  # The end of a paragraph is given.
                scores["sentence ends"].add(expected=ends, found=written[-1] in ".?!")
            scores["commas"].add(expected=expected[-1] in ",;:", found=written[-1] == ",")
            scores["question marks"].add(expected=expected[-1] == "?", found=written[-1] == "?")
            scores["capitals"].add(expected=expected[0].isupper(), found=written[0].isupper())
    return scores


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    for name, pauses in (
        ("pauses as read aloud", read_aloud),
        ("no pauses", without_pauses),
        ("sentence ends given", known_ends),
    ):
        print(name)
        for kind, score in measure(pauses).items():
            print(
                f"  {kind:15} F1 {score.f1:.3f}  precision {score.precision:.3f}"
                f"  recall {score.recall:.3f}"
            )
    reached = measure(read_aloud)
    missed = [kind for kind, goal in GOALS.items() if reached[kind].f1 < goal]
    for kind, goal in GOALS.items():
        print(f"goal {kind}: F1 >= {goal}: {'MISSED' if kind in missed else 'met'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
