"""Whether the clocks of an installation agree.

Services refuse an identity token that was issued in their future, save what clocks may differ: a
replica that is further behind refuses requests now and then. Redis counts limits by its own
clock, and the database leases by its.
"""

from dataclasses import dataclass

from gateway.doctor.findings import Finding, error, ok, warning
from shared.issued import CLOCKS_DIFFER_S

_WARN_S, _ERROR_S = 0.5, 30.0
_MEND = "Let that machine and this one keep their clocks by NTP (chrony, systemd-timesyncd)."


@dataclass(frozen=True, slots=True)
class _Reading:
    who: str
    offset_s: float
    unsure_s: float
    verifies_tokens: bool


class Clocks:
    """Collects what others think the time is."""

    def __init__(self) -> None:
        self._readings: list[_Reading] = []

    def note(
        self,
        who: str,
        theirs: float,
        asked_at: float,
        answered_at: float,
        *,
        verifies_tokens: bool = False,
    ) -> None:
        """A reading; all times are Unix seconds.

        Args:
            who: Whose clock.
            theirs: What it showed, at some moment between the other two.
            asked_at: By this machine's clock.
            answered_at: Likewise.
            verifies_tokens: Whether it checks the gateway's identity tokens.
        """
        middle, unsure = (asked_at + answered_at) / 2, (answered_at - asked_at) / 2
        self._readings.append(_Reading(who, theirs - middle, unsure, verifies_tokens))

    def findings(self) -> list[Finding]:
        """What differs; one line if nothing does."""
        apart = [found for one in self._readings if (found := _judge(one)) is not None]
        if apart or not self._readings:
            return apart
        most = max(max(0.0, abs(one.offset_s) - one.unsure_s) for one in self._readings)
        return [ok("clocks", f"{len(self._readings)} agree with this one within {most:.2f} s")]


def _judge(one: _Reading) -> Finding | None:
    apart = abs(one.offset_s) - one.unsure_s
    if apart <= _WARN_S:
        return None
    side = "behind" if one.offset_s < 0 else "ahead of"
    says = f"{one.who} is {apart:.1f} s {side} this machine"
    late = one.verifies_tokens and one.offset_s < 0
    if apart > _ERROR_S or (late and apart > CLOCKS_DIFFER_S):
        return error("clocks", says, _MEND)
    return warning("clocks", says, _MEND)
