"""One request on its way through the service."""

from dataclasses import dataclass, field
from datetime import datetime

from services.tts.models.script import Say, Script
from services.tts.models.speech import Output, SpeechOrder, SpeechRecord, Voice
from services.tts.models.voices import ModelFacts
from shared.caller import Caller
from shared.db.base import new_id, utc_now
from shared.timing import Stopwatch


@dataclass(slots=True)
class Run:
    """What is known of a request; more and more until its first sound.

    Attributes:
        caller: Who sent it.
        order: What was asked.
        model: Reference of the model that speaks.
        used: How the request came to it, see `shared.serving`.
        characters: That count.
        facts: Of the model.
        voice: That speaks.
        output: How the sound is written.
        scripts: One for each text.
        begun: Whether a part of a streamed answer has left.
        id: Of the stored request.
        watch: Runs since the request came.
    """

    caller: Caller
    order: SpeechOrder
    model: str
    used: str
    characters: int
    facts: ModelFacts
    voice: Voice
    output: Output
    scripts: tuple[Script, ...] = ()
    begun: bool = False
    id: str = field(default_factory=new_id)
    created_at: datetime = field(default_factory=utc_now)
    watch: Stopwatch = field(default_factory=Stopwatch)

    def says(self) -> list[Say]:
        """All that is said, in order."""
        return [step for script in self.scripts for step in script if isinstance(step, Say)]

    def record(
        self, duration_s: float | None = None, error_code: str | None = None
    ) -> SpeechRecord:
        """What is kept of it, now that it ends."""
        return SpeechRecord(
            id=self.id,
            created_at=self.created_at,
            model=self.model,
            voice=self.voice,
            output=self.output,
            item_count=max(len(self.order.texts), 1),
            characters=self.characters,
            latency_ms=self.watch.total_ms(),
            duration_s=duration_s,
            error_code=error_code,
        )
