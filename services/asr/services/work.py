"""What is known about a request while it runs."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.asr.models.calls import Degradation
from services.asr.models.request import AsrRequest, Status
from shared.caller import Caller
from shared.db.base import utc_now
from shared.telemetry.span import span


@dataclass(slots=True)
class Work:
    """A request, its stages' times, and how far it came."""

    id: str
    caller: Caller
    model: str
    used: str
    language: str
    audio_seconds: float = 0.0
    segments: int = 0
    reached_engine: bool = False
    arrived: float = field(default_factory=time.perf_counter)
    timings: dict[str, float] = field(default_factory=dict)
    degraded: list[Degradation] = field(default_factory=list)

    @contextlib.contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Note how long a stage took."""
        started = time.perf_counter()
        with span(stage):
            yield
        self.timings[f"{stage}_ms"] = round((time.perf_counter() - started) * 1000, 2)

    def elapsed_ms(self) -> float:
        """Since the request arrived."""
        return round((time.perf_counter() - self.arrived) * 1000, 2)

    def row(self, status: Status, code: str | None = None) -> AsrRequest:
        """The request as it is stored."""
        return AsrRequest(
            id=self.id,
            caller=self.caller,
            created_at=utc_now(),
            model=self.model,
            language=self.language,
            status=status,
            error_code=code,
            audio_seconds=self.audio_seconds,
            segments=self.segments,
            latency_ms=self.elapsed_ms(),
        )
