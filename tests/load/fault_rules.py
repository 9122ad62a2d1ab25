"""What the gateway must answer while a component is gone, and after."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.load.steady_load import Sample, longest, of_kind, statuses

SETTLED_S = 5.0
UPSTREAM_TIMEOUT_S = 2.0
GOAL_SUCCESS = 0.995
GOAL_EXTRA = 0.20
GOAL_REFUSED_S = 1.0
_QUICK_S = 1.0


@dataclass(frozen=True)
class Observed:
    """One fault.

    Attributes:
        began: When it began.
        ended: When it ended.
        before: Requests before it.
        during: Requests that left while it lasted.
        after: Those of the time after it.
        retries: Requests that the gateway sent again while it lasted.
        recovery_s: From the end of the fault until the last wrong answer had come.
    """

    began: float
    ended: float
    before: list[Sample]
    during: list[Sample]
    after: list[Sample]
    retries: float
    recovery_s: float

    @property
    def settled(self) -> list[Sample]:
        """Requests with the usual key, once the gateway has had time to notice."""
        return [s for s in of_kind(self.during, "hot") if s.at >= self.began + SETTLED_S]

    @property
    def extra(self) -> float:
        """Attempts more than one, per request."""
        return self.retries / max(1, len(self.during))


Rule = Callable[[Observed], list[str]]
"""Says what is wrong; nothing when all is as expected."""


def _all_ok(samples: list[Sample], what: str) -> list[str]:
    wrong = {status: n for status, n in statuses(samples).items() if status != "200"}
    if not samples:
        return [f"no {what}"]
    return [f"{what}: {wrong}"] if wrong else []


def redis_gone(seen: Observed) -> list[str]:
    """Nobody notices, and limits go on in the process."""
    hot = of_kind(seen.during, "hot")
    problems = _all_ok(hot, "requests")
    if longest(hot) > _QUICK_S:
        problems.append(f"an answer took {longest(hot):.2f} s")
    if not statuses(of_kind(seen.during, "limited"))["429"]:
        problems.append("no key was limited")
    return problems


def database_gone(seen: Observed) -> list[str]:
    """Keys in use work on; others are answered 503, never 401."""
    problems = _all_ok(of_kind(seen.during, "hot"), "keys in use")
    new = statuses(of_kind(seen.during, "new"))
    if set(new) != {"503"}:
        problems.append(f"new keys: {dict(new)}, not only 503")
    return problems


def database_slow(seen: Observed) -> list[str]:
    """Keys in use work on; others are late or answered 503, never 401."""
    problems = _all_ok(of_kind(seen.during, "hot"), "keys in use")
    new = statuses(of_kind(seen.during, "new"))
    if not new or set(new) - {"200", "503"}:
        problems.append(f"new keys: {dict(new)}, not only 200 and 503")
    return problems


def one_replica_gone(seen: Observed) -> list[str]:
    """After 5 s at least 99.5 % succeed, with at most 20 % more attempts."""
    good = statuses(seen.settled)["200"] / max(1, len(seen.settled))
    problems = [] if good >= GOAL_SUCCESS else [f"{good:.1%} succeeded after {SETTLED_S:.0f} s"]
    if seen.extra > GOAL_EXTRA:
        problems.append(f"{seen.extra:.0%} extra attempts")
    return problems


def all_replicas_gone(seen: Observed) -> list[str]:
    """503 within a second, once the connections that broke are out of the way."""
    hot = [s for s in of_kind(seen.during, "hot") if s.at >= seen.began + 1.0]
    wrong = {status: n for status, n in statuses(hot).items() if status != "503"}
    problems = [f"answers {wrong}, not only 503"] if wrong else []
    if longest(hot) > GOAL_REFUSED_S:
        problems.append(f"an answer took {longest(hot):.2f} s")
    return problems


def all_replicas_stopped(seen: Observed) -> list[str]:
    """No answer takes longer than the upstream's bound; nearly all are 503 at once after 5 s."""
    problems = []
    bound = UPSTREAM_TIMEOUT_S + 0.5
    if longest(of_kind(seen.during, "hot")) > bound:
        problems.append(f"an answer took {longest(of_kind(seen.during, 'hot')):.2f} s")
    quick = [s for s in seen.settled if s.status == "503" and s.seconds <= GOAL_REFUSED_S]
    share = len(quick) / max(1, len(seen.settled))
    if share < 0.9:
        problems.append(f"only {share:.0%} were 503 within a second after {SETTLED_S:.0f} s")
    return problems


def slower_only(seen: Observed) -> list[str]:
    """Answers are late, and right."""
    return _all_ok(of_kind(seen.during, "hot"), "requests")


def flags_gone(seen: Observed) -> list[str]:
    """Answers are the same as before."""
    problems = _all_ok(of_kind(seen.during, "hot"), "requests")
    before, during = ({s.variant for s in of_kind(x, "hot")} for x in (seen.before, seen.during))
    if before != during:
        problems.append(f"variants {sorted(before)} became {sorted(during)}")
    return problems
