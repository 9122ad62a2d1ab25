"""How well the rules find what a person marked: `python -m tests.load.conversation_moments`.

Three sets of calls, all written for this. The ten scripted ones were at hand while the rules were
written. Of those kept apart, 11 to 18 were read once, after which the phrase lists were widened in
general; 19 to 21 were read last, and nothing was changed after them: they tell what to expect of
wordings that nobody listed. Then the ten again as recognition would write them.
"""

import sys
import time
from collections.abc import Sequence

from services.nlp.models.conversation import Moment
from services.nlp.services.conversation.analyze import analyze
from tests.support.moment_scores import agreement, found_by_rules, rules_for, segments_of
from tests.support.scripted_calls import FOLDER, ScriptedCall, as_recognized, read_calls

_GOAL = 0.9
_SEEDS = 10
_REPEATS = 20


def _found(call: ScriptedCall) -> Sequence[Moment]:
    return found_by_rules(call, segments_of(call)).moments


def _recognized(calls: Sequence[ScriptedCall], errors: float) -> tuple[float, float]:
    """Mean precision and recall over seeds."""
    precision = recall = 0.0
    for seed in range(_SEEDS):

        def heard(call: ScriptedCall, seed: int = seed) -> Sequence[Moment]:
            texts = [one["text"] for one in as_recognized(call, seed, errors)]
            return found_by_rules(call, segments_of(call, texts)).moments

        found = agreement(calls, heard).overall
        precision += found.precision / _SEEDS
        recall += found.recall / _SEEDS
    return precision, recall


def main() -> int:
    """Print all figures; the exit status says whether the goals are reached."""
    calls, apart = read_calls(), read_calls(FOLDER / "held_out")
    scripted = agreement(calls, _found)
    print("Ten scripted calls\n" + scripted.table())
    for title, part in (("11 to 18", apart[:8]), ("19 to 21", apart[8:])):
        print(f"\nKept apart, {title}\n" + agreement(part, _found).table())
    print("\nThe ten as recognition writes them (small letters, no marks)")
    for errors in (0.0, 0.05, 0.1, 0.2):
        precision, recall = _recognized(calls, errors)
        print(f"{errors:4.0%} of words wrong: precision {precision:.2f}, recall {recall:.2f}")
    rules, segments = rules_for(calls[0]), segments_of(calls[0])
    started = time.perf_counter()
    for _ in range(_REPEATS):
        analyze(segments, "en", {}, rules)
    each = (time.perf_counter() - started) / _REPEATS
    print(f"\nOne call of {len(segments)} segments: {each * 1000:.1f} ms")
    overall = scripted.overall
    reached = overall.precision >= _GOAL and overall.recall >= _GOAL
    print(f"Goal, precision and recall of at least {_GOAL}: {'reached' if reached else 'MISSED'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
