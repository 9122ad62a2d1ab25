"""Recordings of calls: kept for a while, heard again, forgotten."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.asr.exceptions import empty_span, keeping_disabled, recording_not_found
from services.asr.models.audio import SAMPLE_RATE, AsrOptions, AudioSource
from services.asr.models.calls import KeepingRules, KeptRecording
from services.asr.repositories.recordings import RecordingRepository
from services.asr.services.call_monitor import RecordingMonitor
from services.asr.services.intake import Intake
from services.asr.services.recording_audio import (
    PIECE,
    Float,
    decode_pieces,
    encode_piece,
    floats,
    joined,
    pieces_in,
    written,
)
from shared.audio.contract import Samples
from shared.audio.encode import OutputFormat
from shared.db.base import utc_now
from shared.logging import get_logger

_logger = get_logger(__name__)
_AT_ONCE = 2
_PRUNE_INTERVAL_S = 60.0
_PRUNED = 8
"""At once: an hour is 20 MB, and SQLite lets nobody else write meanwhile."""


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """How a clip is heard again.

    Attributes:
        start: Of the clip in the recording, in seconds.
        end: Likewise.
        pause_s: Silence between what is spoken and the clip.
        audio_format: Of the answer.
        rate: Of the answer, in Hz; None is the recording's own.
    """

    start: float
    end: float
    pause_s: float
    audio_format: OutputFormat
    rate: int | None = None


class RecordingService:
    """Keeps recordings.

    Args:
        repository: Where they are.
        intake: Reads what is spoken before a clip.
        rules: How long they are kept, and how much.
        monitor: Where they are counted.
    """

    def __init__(
        self,
        repository: RecordingRepository,
        intake: Intake,
        rules: KeepingRules,
        monitor: RecordingMonitor,
    ) -> None:
        self._repository = repository
        self._intake = intake
        self._rules = rules
        self._monitor = monitor
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._task: asyncio.Task[None] | None = None

    async def keep(
        self, tenant_id: str, recording_id: str, tracks: Sequence[Samples]
    ) -> KeptRecording:
        """Encode and store a recording.

        Raises:
            Unavailable: Nothing is kept here, or the database does not answer.
            PayloadTooLarge: It is larger than all that the tenant may keep.
        """
        if self._rules.life is None:
            raise keeping_disabled()
        self._repository.require_key()
        length = len(tracks[0])
        async with self._slots:
            pieces = [
                await asyncio.to_thread(encode_piece, tracks, index)
                for index in range(pieces_in(length))
            ]
            kept = await self._repository.add(tenant_id, recording_id, length, pieces, self._rules)
        self._monitor.kept(kept.size)
        return kept

    async def find(self, tenant_id: str, recording_id: str) -> KeptRecording | None:
        """A recording of a tenant that has not expired.

        Raises:
            Unavailable: The database does not answer.
        """
        return await self._repository.find(tenant_id, recording_id)

    async def replay(
        self, tenant_id: str, recording_id: str, spoken: AudioSource, order: ReplayOrder
    ) -> tuple[bytes, int]:
        """What is spoken, a pause, and a clip of the recording: one file, and its rate (Hz).

        Raises:
            NotFound: There is no such recording any more.
            InvalidField: The clip has no length, or is behind the end.
            SpeechgateError: What is spoken cannot be read, or a dependency is down.
        """
        clip = await self._clip(tenant_id, recording_id, order.start, order.end)
        reading = AsrOptions("")
        async with self._intake.read([spoken], reading) as (advice,):
            pcm = advice.tracks[0][:]
        self._monitor.replayed()

        def make() -> tuple[bytes, int]:
            whole = joined(floats(pcm), clip, order.pause_s)
            return written(whole, order.audio_format, order.rate)

        return await asyncio.to_thread(make)

    async def delete(self, tenant_id: str, recording_id: str) -> bool:
        """Forget a recording for good; whether there was one.

        Raises:
            Unavailable: The database does not answer.
        """
        return await self._repository.delete(tenant_id, recording_id)

    def start(self) -> None:
        """Begin to delete what has expired."""
        self._task = asyncio.create_task(self._loop(), name="recordings-prune")

    async def close(self) -> None:
        """Delete no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _clip(self, tenant_id: str, recording_id: str, start_s: float, end_s: float) -> Float:
        start, end = round(start_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE)
        kept = await self._repository.find(tenant_id, recording_id)
        if kept is None:
            raise recording_not_found()
        end = min(end, kept.samples)
        if start >= end:
            raise empty_span()
        first, last = start // PIECE, (end - 1) // PIECE
        pieces = await self._repository.read(tenant_id, recording_id, first, last)
        return await asyncio.to_thread(decode_pieces, pieces, first, start, end)

    async def _loop(self) -> None:
        while True:
            deleted = 0
            try:
                deleted = await self._repository.prune(utc_now(), _PRUNED)
                self._monitor.expired(deleted)
            except Exception as error:  # noqa: BLE001 - tried again later
                _logger.warning("expired recordings were not deleted", kind=type(error).__name__)
            if deleted < _PRUNED:
                await asyncio.sleep(_PRUNE_INTERVAL_S)
