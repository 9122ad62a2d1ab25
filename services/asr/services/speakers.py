"""The known speakers of a tenant: kept from recordings, with the consent of the person."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.asr.exceptions import (
    consent_required,
    same_speaker,
    several_speakers,
    speech_too_short,
)
from services.asr.models.audio import AsrOptions, AudioSource
from services.asr.models.speakers import (
    Diarization,
    DiarizationOptions,
    DiarizedSpeaker,
    Embedding,
    Enrolled,
    KnownSpeaker,
    SpeakerPage,
)
from services.asr.repositories.speaker_voices import SpeakerVoices
from services.asr.repositories.speakers import SpeakerRepository
from services.asr.services.diarization_service import DiarizationService
from services.asr.services.speakers_matching import similarity
from shared.caller import Caller
from shared.logging import get_logger

_logger = get_logger(__name__)
_ONE_OR_TWO = DiarizationOptions(max_speakers=2)


@dataclass(frozen=True, slots=True)
class EnrolmentRules:
    """Which recordings are good enough.

    Attributes:
        least_speech_s: Seconds of speech, at least.
        stranger_s: A second speaker with so much speech is no misheard syllable.
    """

    least_speech_s: float = 3.0
    stranger_s: float = 1.0


@dataclass(frozen=True, slots=True)
class SpeakerService:
    """Keeps known speakers.

    Attributes:
        speakers: Where they are stored.
        voices: Where their voices are.
        diarization: Hears recordings.
        rules: Which recordings are good enough.
    """

    speakers: SpeakerRepository
    voices: SpeakerVoices
    diarization: DiarizationService
    rules: EnrolmentRules

    async def create(
        self, caller: Caller, name: str, source: AudioSource, reading: AsrOptions, *, consent: bool
    ) -> KnownSpeaker:
        """A new speaker by a recording of at least 3 s of one speaker's speech.

        Raises:
            InvalidField: No consent, too little speech, or more than one speaker.
            SpeechgateError: The audio is refused, too many speakers, or a dependency is down.
        """
        if not consent:
            raise consent_required()
        self.voices.require_key()
        voice, heard = await self._voice(caller, source, reading)
        made = await self.speakers.add(caller, name, voice, heard.speech_seconds)
        _note(caller, "speaker created", made.id)
        return made

    async def add_prototype(
        self, caller: Caller, speaker_id: str, source: AudioSource, reading: AsrOptions
    ) -> Enrolled:
        """One more recording of a speaker.

        Raises:
            NotFound: There is no such speaker of the tenant.
            InvalidField: Too little speech, or more than one speaker.
            SpeechgateError: The audio is refused, too many prototypes, or a dependency is down.
        """
        await self.speakers.get(caller.tenant_id, speaker_id)
        known = await self.voices.read(caller.tenant_id, speaker_id)
        voice, heard = await self._voice(caller, source, reading)
        speaker = await self.speakers.add_prototype(
            caller.tenant_id, speaker_id, voice, heard.speech_seconds
        )
        _note(caller, "speaker prototype added", speaker_id)
        return Enrolled(speaker, similarity(voice, known))

    async def get(self, caller: Caller, speaker_id: str) -> KnownSpeaker:
        """A speaker of the tenant.

        Raises:
            NotFound: There is none, or it is another tenant's.
        """
        return await self.speakers.get(caller.tenant_id, speaker_id)

    async def list(self, caller: Caller, limit: int, cursor: str | None) -> SpeakerPage:
        """A page of the tenant's speakers, newest first."""
        return await self.speakers.list(caller.tenant_id, limit, cursor)

    async def rename(self, caller: Caller, speaker_id: str, name: str) -> KnownSpeaker:
        """The speaker by another name.

        Raises:
            NotFound: There is none, or it is another tenant's.
        """
        return await self.speakers.rename(caller.tenant_id, speaker_id, name)

    async def delete(self, caller: Caller, speaker_id: str) -> None:
        """Remove the speaker with all voices and their keys; nothing of them stays.

        Raises:
            NotFound: There is none, or it is another tenant's.
        """
        await self.speakers.delete(caller.tenant_id, speaker_id)
        _note(caller, "speaker deleted", speaker_id)

    async def delete_prototype(self, caller: Caller, speaker_id: str, prototype_id: str) -> None:
        """Remove a recording's voice and its key.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Conflict: It is the last one.
        """
        await self.speakers.delete_prototype(caller.tenant_id, speaker_id, prototype_id)
        _note(caller, "speaker prototype deleted", speaker_id)

    async def merge(self, caller: Caller, speaker_id: str, other_id: str) -> KnownSpeaker:
        """The speaker with the prototypes of another one, who is no more.

        Raises:
            NotFound: One of both is not there, or is another tenant's.
            Conflict: The prototypes are too many.
            InvalidField: Both are the same.
        """
        if other_id == speaker_id:
            raise same_speaker()
        merged = await self.speakers.merge(caller.tenant_id, speaker_id, other_id)
        _note(caller, "speakers merged", speaker_id)
        return merged

    async def split(
        self, caller: Caller, speaker_id: str, prototypes: Sequence[str], name: str
    ) -> KnownSpeaker:
        """A new speaker who takes some prototypes of another one.

        Raises:
            NotFound: The speaker or a prototype is not there, or is another tenant's.
            Conflict: No prototype would be left, or there are too many speakers.
        """
        made = await self.speakers.split(caller, speaker_id, prototypes, name)
        _note(caller, "speaker split", speaker_id)
        return made

    async def identify(
        self, caller: Caller, source: AudioSource, reading: AsrOptions, options: DiarizationOptions
    ) -> Diarization:
        """The speakers of a recording, each known or unknown.

        Raises:
            SpeechgateError: The audio is refused, a dependency is down, or a stored voice cannot
                be read.
        """
        return await self.diarization.diarize(source, reading, options, caller.tenant_id)

    async def _voice(
        self, caller: Caller, source: AudioSource, reading: AsrOptions
    ) -> tuple[Embedding, DiarizedSpeaker]:
        """The voice of a recording of one speaker."""
        found = await self.diarization.diarize(source, reading, _ONE_OR_TWO, caller.tenant_id)
        order = sorted(
            zip(found.voices, found.speakers, strict=True),
            key=lambda one: -one[1].speech_seconds,
        )
        if sum(one.speech_seconds for one in found.speakers) < self.rules.least_speech_s:
            raise speech_too_short(self.rules.least_speech_s)
        if len(order) > 1 and order[1][1].speech_seconds >= self.rules.stranger_s:
            raise several_speakers()
        if order[0][1].speech_seconds < self.rules.least_speech_s:
            raise speech_too_short(self.rules.least_speech_s)
        return order[0]


def _note(caller: Caller, what: str, speaker_id: str) -> None:
    """One line for each change: who, what, which speaker."""
    _logger.info(what, actor=caller.subject, tenant=caller.tenant_id, speaker=speaker_id)
