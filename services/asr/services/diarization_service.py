"""Speakers for requests: the diarizer, and who of the tenant's known speakers they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.asr.exceptions import unsupported_parameter
from services.asr.models.audio import AsrOptions, AudioSource, ChannelMode
from services.asr.models.speakers import Diarization, DiarizationOptions
from services.asr.models.transcript import Transcript
from services.asr.repositories.speaker_voices import SpeakerVoices
from services.asr.services.diarization import Diarizer
from services.asr.services.diarization_words import with_speakers
from services.asr.services.intake import Intake
from services.asr.services.speakers_matching import MatchingRules, decided
from shared.audio.contract import Samples
from shared.concurrency import Bulkhead


@dataclass(frozen=True, slots=True)
class DiarizationService:
    """Tells speakers apart, and recognizes the known ones.

    Attributes:
        intake: Reads what clients send.
        diarizer: Tells speakers apart.
        voices: Those of the known speakers.
        rules: When a voice is taken for a known one.
        bulkhead: Bounds the requests in work, of those that are for speakers only.
    """

    intake: Intake
    diarizer: Diarizer
    voices: SpeakerVoices
    rules: MatchingRules
    bulkhead: Bulkhead

    def check(self, options: AsrOptions) -> None:
        """Refuse what cannot be done, before any work.

        Raises:
            InvalidField: Channels are kept apart: they are the speakers then.
            Unavailable: Known speakers are wanted and no key is configured.
        """
        if options.diarization is None:
            return
        if options.channels is ChannelMode.SEPARATE:
            raise unsupported_parameter(
                "channels", "Separate channels are the speakers; leave diarization out."
            )
        if options.diarization.identify:
            self.voices.require_key()

    async def diarize(
        self,
        source: AudioSource,
        reading: AsrOptions,
        options: DiarizationOptions,
        tenant_id: str,
    ) -> Diarization:
        """The speakers and segments of a recording.

        Args:
            source: The recording.
            reading: How it is read: declared format and rate.
            options: How speakers are told apart.
            tenant_id: Whose speakers are known.

        Raises:
            SpeechgateError: The audio is refused, or a dependency is down.
        """
        with self.bulkhead.admit(1):
            async with self.intake.read([source], reading) as (recording,):
                return await self.of(recording.tracks[0], options, tenant_id)

    async def of(self, pcm: Samples, options: DiarizationOptions, tenant_id: str) -> Diarization:
        """The speakers and segments of decoded audio.

        Raises:
            SpeechgateError: A dependency is down, or a stored voice cannot be read.
        """
        if options.identify:
            self.voices.require_key()
        found = await self.diarizer.diarize(pcm, options)
        if not options.identify or not found.speakers:
            return found
        known = await self.voices.read(tenant_id)
        return replace(found, speakers=decided(found.speakers, found.voices, known, self.rules))

    async def annotated(
        self,
        audios: Sequence[Samples],
        transcripts: Sequence[Transcript],
        options: DiarizationOptions,
        tenant_id: str,
    ) -> list[Transcript]:
        """The transcripts with their speakers.

        Raises:
            SpeechgateError: A dependency is down, or a stored voice cannot be read.
        """
        return [
            with_speakers(transcript, await self.of(pcm, options, tenant_id))
            for pcm, transcript in zip(audios, transcripts, strict=True)
        ]
