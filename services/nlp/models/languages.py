"""Languages and their pairs."""

import re
from dataclasses import dataclass


def primary_language(code: str) -> str:
    """`en` of `en-GB`: models know languages, not regions."""
    return re.split("[-_]", code)[0].lower()


@dataclass(frozen=True, slots=True)
class Pair:
    """A direction of translation, ISO 639 codes."""

    source: str
    target: str

    def __str__(self) -> str:
        """As the model's configuration writes it."""
        return f"{self.source}-{self.target}"
