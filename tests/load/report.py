"""The table of the gateway benchmark, and how it compares with the goals."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.load.closed_loop import ClosedLoop
from tests.load.open_loop import OpenLoop

GOAL_LUA = 1.0
GOAL_LITELLM = 100.0
GOAL_P99_ADDED_MS = 3.0
GOAL_LARGE = 0.5
GOAL_MEMORY_MB = 120.0
SPEECHGATE, LUA, NGINX, LITELLM = "speechgate", "nginx + Lua", "nginx", "LiteLLM"


@dataclass
class Results:
    """What all rounds measured of one contender.

    Attributes:
        name: Its name.
        small: Full load with small bodies.
        large: Full load with large bodies.
        half: Latency at half of the rate that it reached just before.
        direct: Latency of the upstream alone at the same rate, measured next to it.
        memory: Resident and proportional memory after the load, MB.
    """

    name: str
    small: list[ClosedLoop] = field(default_factory=list)
    large: list[ClosedLoop] = field(default_factory=list)
    half: list[OpenLoop] = field(default_factory=list)
    direct: list[OpenLoop] = field(default_factory=list)
    memory: tuple[float, float] = (0.0, 0.0)

    @property
    def per_cpu_second(self) -> float:
        """Requests with small bodies per second of its processor time."""
        return _median(run.per_cpu_second for run in self.small)

    def megabytes(self, body: int) -> float:
        """MB of large bodies per second of its processor time."""
        return _median(run.per_cpu_second for run in self.large) * body / 1e6

    def latency_ms(self, pick: Callable[[OpenLoop], float]) -> float:
        """A figure at half load."""
        return _median(pick(run) for run in self.half) * 1000

    @property
    def added_ms(self) -> float:
        """p99 through it less p99 without it."""
        pairs = zip(self.half, self.direct, strict=True)
        return _median(through.p99 - alone.p99 for through, alone in pairs) * 1000


def _median(values: object) -> float:
    found = sorted(values)  # type: ignore[call-overload]
    return statistics.median(found) if found else float("nan")


def _ratio(ours: Sequence[ClosedLoop], others: Sequence[ClosedLoop]) -> float:
    """Of work per CPU-second: the middle one of all rounds, since the machine's speed drifts."""
    pairs = zip(ours, others, strict=True)
    return _median(own.per_cpu_second / other.per_cpu_second for own, other in pairs)


def table(all_results: Sequence[Results], small: int, large: int) -> str:
    """One line per contender."""
    by_name = {results.name: results for results in all_results}
    first = (
        f"{'':14}{'requests per':>13}{'core':>6}{'MB per':>8}{'half load':>11}{'p50':>8}"
        f"{'p99':>8}{'p99 added':>11}{'RSS':>6}{'PSS':>6}   {'ratio to':>12}"
    )
    second = (
        f"{'':14}{'CPU-second':>13}{'used':>6}{'CPU-s':>8}{'requests/s':>11}{'ms':>8}"
        f"{'ms':>8}{'ms':>11}{'MB':>6}{'MB':>6}   {LUA:>12}{NGINX:>8}{LITELLM:>9}"
    )
    third = f"{'body':14}{f'{small} B':>13}{'':>6}{f'{large // 1000} kB':>8}{f'{small} B':>11}"
    lines = [first, second, third]
    for results in all_results:
        ratios = [
            f"{_ratio(results.small, by_name[name].small):{width}.{digits}f}"
            if name in by_name
            else f"{'–':>{width}}"
            for name, width, digits in ((LUA, 12, 3), (NGINX, 8, 3), (LITELLM, 9, 1))
        ]
        lines.append(
            f"{results.name:14}{results.per_cpu_second:13,.0f}"
            f"{_median(run.cpu for run in results.small):6.2f}"
            f"{results.megabytes(large):8,.0f}{_median(run.rate for run in results.half):11,.0f}"
            f"{results.latency_ms(lambda run: run.p50):8.2f}"
            f"{results.latency_ms(lambda run: run.p99):8.2f}{results.added_ms:11.2f}"
            f"{results.memory[0]:6.0f}{results.memory[1]:6.0f}   {''.join(ratios)}"
        )
    return "\n".join(lines)


def goals(all_results: Sequence[Results], large: int) -> list[tuple[str, float, str, bool]]:
    """What was aimed at, what was measured, and whether it holds."""
    by_name = {results.name: results for results in all_results}
    ours = by_name.get(SPEECHGATE)
    if ours is None:
        return []
    found: list[tuple[str, float, str, bool]] = []

    def at_least(what: str, value: float, goal: float) -> None:
        found.append((what, value, f"≥ {goal:g}", value >= goal))

    def at_most(what: str, value: float, goal: float) -> None:
        found.append((what, value, f"≤ {goal:g}", value <= goal))

    for name, goal in ((LUA, GOAL_LUA), (LITELLM, GOAL_LITELLM)):
        if name in by_name:
            ratio = _ratio(ours.small, by_name[name].small)
            at_least(f"requests per CPU-second, × {name}", ratio, goal)
    at_most("p99 added at half load, ms", ours.added_ms, GOAL_P99_ADDED_MS)
    if NGINX in by_name:
        ratio = _ratio(ours.large, by_name[NGINX].large)
        at_least(f"{large // 1000} kB bodies, bytes per CPU-second, × {NGINX}", ratio, GOAL_LARGE)
    at_most("memory of a worker, MB resident", ours.memory[0], GOAL_MEMORY_MB)
    return found


def goals_text(found: Sequence[tuple[str, float, str, bool]]) -> str:
    """The goals, one to a line."""
    return "\n".join(
        f"  {'OK   ' if held else 'BELOW'} {what}: {value:.3g} (goal {goal})"
        for what, value, goal, held in found
    )
