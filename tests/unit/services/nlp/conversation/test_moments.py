"""The measure: on ten calls, the rules find what a person marked, and little else."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.support.moment_scores import agreement, found_by_rules, segments_of
from tests.support.scripted_calls import as_recognized, read_calls

ROOT = Path(__file__).resolve().parents[5]
CALLS = read_calls()
_DUMP = """
import orjson
from tests.support.moment_scores import found_by_rules, segments_of
from tests.support.scripted_calls import read_calls
for call in read_calls():
    print(orjson.dumps(found_by_rules(call, segments_of(call))).decode())
"""


def test_the_calls_are_as_they_should_be() -> None:
    assert len(CALLS) == 10
    assert all(15 <= len(call.segments) <= 40 for call in CALLS)
    assert all(len(call.scores) == len(call.segments) for call in CALLS)
    assert len({label.rule_id for call in CALLS for label in call.labels}) >= 18


def test_precision_and_recall_of_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    result = agreement(CALLS, lambda call: found_by_rules(call, segments_of(call)).moments)
    with capsys.disabled():
        print(f"\n{result.table()}")  # noqa: T201 - the figures are part of what is shown
    assert result.overall.precision >= 0.9
    assert result.overall.recall >= 0.9
    assert result.answers_right >= 0.9 * result.answers
    assert result.tops_right >= 0.9 * result.tops
    for rule_id, tally in result.rules.items():
        assert tally.right > 0, rule_id


@pytest.mark.parametrize(("errors", "recall"), [(0.0, 0.9), (0.08, 0.8)])
def test_as_recognition_writes_it(
    errors: float, recall: float, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = {
        (call.name, seed): [one["text"] for one in as_recognized(call, seed, errors)]
        for call in CALLS
        for seed in range(5)
    }
    tallies = [
        agreement(
            CALLS,
            lambda call, seed=seed: (  # type: ignore[misc] # a default that binds the loop's value
                found_by_rules(call, segments_of(call, heard[call.name, seed])).moments
            ),
        ).overall
        for seed in range(5)
    ]
    precision = sum(one.precision for one in tallies) / 5
    found = sum(one.recall for one in tallies) / 5
    with capsys.disabled():
        print(  # noqa: T201 - likewise
            f"\nsmall letters, no marks, {errors:.0%} of the words wrong:"
            f" precision {precision:.2f}, recall {found:.2f}"
        )
    assert precision >= 0.9
    assert found >= recall


def test_the_same_call_gives_the_same_bytes_in_every_process() -> None:
    here = "".join(
        orjson.dumps(found_by_rules(call, segments_of(call))).decode() + "\n" for call in CALLS
    )
    for seed in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", _DUMP],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout == here


def test_every_quote_is_in_its_segment() -> None:
    for call in CALLS:
        for moment in found_by_rules(call, segments_of(call)).moments:
            assert moment.quote in call.segments[moment.segment]["text"]
            assert moment.speaker == call.segments[moment.segment]["speaker"]
            assert moment.start <= moment.end
