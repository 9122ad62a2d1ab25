"""Recorded calls: a transcript with speakers, and the recording kept for a while."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.asr.exceptions import request_not_found
from services.asr.models.audio import AsrOptions, AudioSource, ChannelMode
from services.asr.models.calls import CallTranscript, Degradation, KeptRecording
from services.asr.models.speakers import DiarizedSpeaker
from services.asr.models.transcript import Transcript
from services.asr.services.asr_service import AsrService
from services.asr.services.call_monitor import RecordingMonitor
from services.asr.services.diarization import label
from services.asr.services.intake import Recording
from services.asr.services.recordings import RecordingService
from shared.caller import Caller
from shared.logging import get_logger
from shared.problem import SpeechgateError

_logger = get_logger(__name__)
RECORDING = "recording"
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class CallService:
    """Recognizes calls.

    Attributes:
        core: Recognizes and stores.
        recordings: Keeps the audio.
        monitor: Where recordings that were not kept are counted.
    """

    core: AsrService
    recordings: RecordingService
    monitor: RecordingMonitor

    async def transcribe(
        self, source: AudioSource, options: AsrOptions, caller: Caller, *, keep: bool
    ) -> CallTranscript:
        """Recognize a call; durable when this returns.

        Speakers and the recording are done without where they cannot be had; `degraded` says so.

        Args:
            source: The recording.
            options: With diarization that is optional, or with separate channels.
            caller: Who sent it.
            keep: Whether the recording is kept for a while.

        Raises:
            SpeechgateError: As `AsrService.transcribe`.
        """
        kept: KeptRecording | None = None
        degraded: list[Degradation] = []

        async def keep_it(recording_id: str, recordings: Sequence[Recording]) -> None:
            nonlocal kept
            try:
                kept = await self.recordings.keep(
                    caller.tenant_id, recording_id, recordings[0].tracks
                )
            except SpeechgateError as error:
                self._not_kept(error.code, degraded)
            except Exception as error:
                # The transcript is there: it must not be lost with its audio.
                _logger.error("a recording was not kept", exc_info=error)
                self._not_kept(SpeechgateError.default_code, degraded)

        answer = await self.core.transcribe(
            [source], options, caller, afterwards=keep_it if keep else None
        )
        (transcript,) = answer.transcripts
        if options.channels is ChannelMode.SEPARATE:
            transcript = with_channel_speakers(transcript)
        return CallTranscript(
            answer.id,
            answer.language,
            transcript,
            answer.audio_seconds,
            kept,
            (*answer.degraded, *degraded),
            answer.used,
            dict(answer.timings),
        )

    async def stored(self, tenant_id: str, call_id: str) -> CallTranscript:
        """A recognized call of a tenant; its transcript is None where it was not stored.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Unavailable: The database does not answer.
        """
        found = await self.core.stored(tenant_id, call_id)
        transcript = found.transcripts[0] if found.transcripts else None
        if transcript is not None and any(one.channel is not None for one in transcript.utterances):
            transcript = with_channel_speakers(transcript)
        return CallTranscript(
            call_id,
            found.request.language,
            transcript,
            found.request.audio_seconds,
            await self.recordings.find(tenant_id, call_id),
        )

    async def delete(self, tenant_id: str, call_id: str) -> None:
        """Forget transcript and recording for good.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Unavailable: The database does not answer.
        """
        recording = await self.recordings.delete(tenant_id, call_id)
        request = await self.core.requests.delete(tenant_id, call_id)
        if not recording and not request:
            raise request_not_found()

    def _not_kept(self, code: str, degraded: list[Degradation]) -> None:
        self.monitor.not_kept(code)
        degraded.append(Degradation(RECORDING, code))


def with_channel_speakers(found: Transcript) -> Transcript:
    """The transcript of separate channels, each of which is a speaker."""
    seconds: dict[int, float] = {}
    for one in found.utterances:
        if one.channel is not None:
            seconds[one.channel] = seconds.get(one.channel, 0.0) + one.end - one.start
    return replace(
        found,
        words=tuple(
            word if word.channel is None else replace(word, speaker=label(word.channel))
            for word in found.words
        ),
        utterances=tuple(
            one if one.channel is None else replace(one, speaker=label(one.channel))
            for one in found.utterances
        ),
        speakers=tuple(
            DiarizedSpeaker(label(channel), round(seconds[channel], _DIGITS))
            for channel in sorted(seconds)
        ),
    )
