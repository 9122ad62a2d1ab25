"""Where speech is in recordings."""

from dataclasses import dataclass

from services.asr.inference.vad_model import VadModel
from services.asr.models.audio import AsrOptions, AudioSource, Span, VadOptions
from services.asr.services.intake import Intake
from shared.concurrency import Bulkhead, map_bounded


@dataclass(frozen=True, slots=True)
class VadService:
    """Finds speech; stores nothing, for there is no content in it.

    Attributes:
        intake: Reads what clients send.
        vad: The model.
        bulkhead: Bounds the requests in work.
    """

    intake: Intake
    vad: VadModel
    bulkhead: Bulkhead

    async def detect(
        self, sources: list[AudioSource], reading: AsrOptions, options: VadOptions
    ) -> list[list[Span]]:
        """Speech in each recording, in order of time. Empties `sources`.

        Args:
            sources: The recordings.
            reading: How they are read: declared format and rate.
            options: How speech is told from silence.

        Raises:
            SpeechgateError: The audio is refused, or a dependency is down.
        """
        with self.bulkhead.admit(1):
            async with self.intake.read(sources, reading) as recordings:
                audios = [track for one in recordings for track in one.tracks]
                return await map_bounded(
                    lambda pcm: self.vad.detect(pcm, options), audios, len(audios)
                )
