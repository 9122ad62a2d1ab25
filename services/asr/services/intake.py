"""From what a client sent to PCM: spooled, fetched where it is a URL, decoded, bounded.

Nothing here is held in memory as a whole: files and PCM lie in scratch files.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from services.asr.models.audio import SAMPLE_RATE, AsrOptions, AudioSource, ChannelMode
from shared.audio.contract import DecodeRequest, Samples
from shared.audio.decode import DecodePool
from shared.audio.errors import refusal
from shared.audio.scratch import Scratch, ScratchFile, StoredPcm
from shared.problem import SpeechgateError
from shared.ssrf import GuardedFetcher

_PART = 1 << 20


@dataclass(frozen=True, slots=True)
class Recording:
    """A decoded audio item: one track, or one for each channel."""

    tracks: tuple[Samples, ...]


@dataclass(frozen=True, slots=True)
class Intake:
    """Turns sources into mono 16-bit PCM at 16 kHz.

    Attributes:
        decoder: Decodes files.
        fetcher: Fetches URLs.
        scratch: Where files lie meanwhile.
        max_seconds: Longest audio of one request, all items and tracks together.
    """

    decoder: DecodePool
    fetcher: GuardedFetcher
    scratch: Scratch
    max_seconds: float

    @asynccontextmanager
    async def read(
        self, sources: list[AudioSource], options: AsrOptions
    ) -> AsyncIterator[list[Recording]]:
        """The PCM of each source, in order, until the block ends.

        Empties `sources` on the way: the files are large and needed no more.

        Raises:
            SpeechgateError: The first item that is refused; `errors` names it.
        """
        with ExitStack() as stack:
            recordings: list[Recording] = []
            samples = 0
            for index in range(len(sources)):
                try:
                    with await self._file(sources.pop(0)) as file:
                        recording = await self._decode(file, options, stack)
                    samples += sum(map(len, recording.tracks))
                    if samples > self.max_seconds * SAMPLE_RATE:
                        raise refusal("audio_too_long")
                except SpeechgateError as error:
                    place = {"pointer": f"/audio/{index}", "detail": error.detail}
                    error.members.setdefault("errors", [place])
                    raise
                recordings.append(recording)
            yield recordings

    async def _file(self, source: AudioSource) -> ScratchFile:
        """What the client sent, in a file that the caller closes."""
        if source.file is not None:
            return source.file
        file = self.scratch.file()
        try:
            if source.content is None:
                await self.fetcher.fetch_into(source.uri or "", file.append)
            else:
                content = memoryview(source.content)
                for start in range(0, len(content), _PART):
                    file.append(content[start : start + _PART])
                    await asyncio.sleep(0)
        except BaseException:
            file.close()
            raise
        return file

    async def _decode(self, file: ScratchFile, options: AsrOptions, stack: ExitStack) -> Recording:
        separate = options.channels is ChannelMode.SEPARATE
        request = DecodeRequest(options.declared_format, options.sampling_rate, separate)
        output = stack.enter_context(self.scratch.file())
        found = await self.decoder.decode(file, output, request)
        return Recording(
            tuple(
                StoredPcm(output, track * self.decoder.track_bytes, found.samples)
                for track in range(found.tracks)
            )
        )
