"""Languages and their pairs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """A direction of translation, ISO 639 codes."""

    source: str
    target: str

    def __str__(self) -> str:
        """As the model's configuration writes it."""
        return f"{self.source}-{self.target}"
