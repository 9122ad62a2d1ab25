"""What the rest of the gateway asks of a source of flags, and what flags ask of the rest."""

from typing import Protocol

from openfeature.provider import FeatureProvider

from gateway.flags.document import FlagDocument
from gateway.models.flags import FlagContext, FlagEvaluation, Origin
from shared.identity import Identity


class FlagSource(FeatureProvider, Protocol):
    """An OpenFeature provider that is opened, closed and refreshed.

    Attributes:
        source: `unleash`, `file` or `none`.
        document: The flags it knows.
        stale: It did not answer last time.
        refreshed_at: Unix seconds of its last answer; None when never.
    """

    source: str
    document: FlagDocument
    stale: bool
    refreshed_at: float | None

    async def open(self) -> None:
        """Learn the flags and begin to follow their changes; never raises for a dead source."""

    async def close(self) -> None:
        """Stop following."""

    async def refresh(self) -> None:
        """Ask the source now.

        Raises:
            FlagsUnavailable: It does not answer, or with nonsense.
        """


class EvaluationSink(Protocol):
    """Keeps what was evaluated."""

    def record(
        self, evaluation: FlagEvaluation, context: FlagContext, sender: Identity, origin: Origin
    ) -> None:
        """Note an evaluation; never waits."""
