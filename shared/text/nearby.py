"""Whether one of some words stands shortly before a place; each question takes logarithmic time."""

import re
from bisect import bisect_right


class Nearby:
    """Places of a pattern in a text.

    Args:
        pattern: Of the words.
        text: Where they are looked for.
    """

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self.ends = [found.end() for found in pattern.finditer(text)]

    def before(self, place: int, within: int) -> int | None:
        """Where the last of them ends, at most `within` characters before a place."""
        index = bisect_right(self.ends, place) - 1
        if index < 0 or place - self.ends[index] > within:
            return None
        return self.ends[index]
