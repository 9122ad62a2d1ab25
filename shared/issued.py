"""When a token was issued, by the clock of another machine."""

import time
from typing import Any

CLOCKS_DIFFER_S = 5.0
"""Most by which the clock of the machine that issued a token may be ahead of this one."""


def issued_later(claims: dict[str, Any]) -> bool:
    """Whether `iat` is no time, or lies further ahead than clocks may differ.

    Libraries refuse a token that is issued a moment ahead: of two machines whose clocks are 50 ms
    apart, one would refuse every twentieth token of the other.
    """
    issued = claims["iat"]
    return not isinstance(issued, int | float) or issued > time.time() + CLOCKS_DIFFER_S
