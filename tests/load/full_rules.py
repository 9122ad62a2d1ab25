"""What clients of the whole stack may see while a part of it is gone, and after."""

from collections.abc import Collection
from dataclasses import dataclass

from tests.support.mixed_load import LIVE, OK, RESUMED, Answer

SETTLED_S = 5.0
QUICK_S = 1.0
_REFUSED, _LATE = "503", "504"
_CLIENT_ERRORS = frozenset(
    {"ConnectError", "ReadError", "WriteError", "RemoteProtocolError", "ReadTimeout"}
)


@dataclass(frozen=True)
class Observed:
    """One fault.

    Attributes:
        began: When it began.
        ended: When it was about to be mended.
        during: What was under way between the two.
        after: What left later.
        recovery_s: From the end of the fault to success; None: never.
        lost: Acknowledged results that cannot be read back.
    """

    began: float
    ended: float
    during: list[Answer]
    after: list[Answer]
    recovery_s: float | None
    lost: list[str]


@dataclass(frozen=True)
class Expected:
    """The rule for one fault. Kinds that it does not touch are answered as ever.

    Attributes:
        touched: Kinds that may notice it.
        refused: Answers of those that are no success.
        settled: Whether they succeed again `SETTLED_S` after it began, while it lasts.
        quick: Whether refusals come within a second, once the fault was noticed.
    """

    touched: Collection[str] = ()
    refused: Collection[str] = (_REFUSED,)
    settled: bool = False
    quick: bool = False

    def problems(self, seen: Observed) -> list[str]:
        """What is not as it should be."""
        found = [*self._wrong(seen), *self._slow(seen)]
        if seen.recovery_s is None:
            found.append("did not recover")
        if seen.lost:
            found.append(f"{len(seen.lost)} results lost")
        return found

    def _wrong(self, seen: Observed) -> list[str]:
        wrong = [a for a in (*seen.during, *seen.after) if not self._allowed(a)]
        if self.settled:
            late = [
                a
                for a in seen.during
                if seen.began + SETTLED_S <= a.at and a.kind != LIVE and a.status != OK
            ]
            wrong += [a for a in late if a not in wrong]
        listed = sorted({f"{a.kind} {a.status} {a.code}".strip() for a in wrong})
        bare = sorted({a.kind for a in (*seen.during, *seen.after) if a.bare})
        return listed + [f"{kind}: 503 without Retry-After" for kind in bare]

    def _allowed(self, answer: Answer) -> bool:
        if answer.status == OK:
            return True
        if answer.kind not in self.touched:
            return False
        # A stream that broke says in the end what it should, over however many connections.
        return answer.status == RESUMED if answer.kind == LIVE else answer.status in self.refused

    def _slow(self, seen: Observed) -> list[str]:
        if not self.quick:
            return []
        longest = max(
            (
                a.seconds
                for a in seen.during
                if a.status == _REFUSED and seen.began + QUICK_S <= a.at < seen.ended
            ),
            default=0.0,
        )
        return [f"a refusal took {longest:.2f} s"] if longest > QUICK_S else []


UNNOTICED = Expected()
"""Redis and Unleash: nobody notices."""

SPOOLED = Expected()
"""PostgreSQL: keys in use work on, and accepted results wait on disk."""


def one_of_two(*kinds: str) -> Expected:
    """A replica: what it was at work on is refused; the other one serves."""
    return Expected(kinds, (_REFUSED, _LATE), settled=True)


def only_one(*kinds: str) -> Expected:
    """The only replica: its kinds are refused at once, and no others."""
    return Expected(kinds, quick=True)


def late(*kinds: str) -> Expected:
    """Something hangs: its kinds are late or refused.

    A model's process that hangs touches all: the inference server sometimes aborts when it is
    replaced (a `lock_exception` of its Python backend, 2.51), and is started again.
    """
    return Expected(kinds, (_REFUSED, _LATE))


def gateway_killed(*kinds: str) -> Expected:
    """One gateway of two: its connections break, and new ones go to the other."""
    return Expected(kinds, tuple(_CLIENT_ERRORS - {"ReadTimeout"}), settled=True)
