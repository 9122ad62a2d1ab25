"""From what a client sent to PCM: fetched where it is a URL, decoded, bounded."""

from dataclasses import dataclass

from services.asr.models.audio import SAMPLE_RATE, AsrOptions, AudioSource
from shared.audio.contract import Pcm16
from shared.audio.decode import DecodePool
from shared.audio.errors import refusal
from shared.problem import SpeechgateError
from shared.ssrf import GuardedFetcher


@dataclass(frozen=True, slots=True)
class Intake:
    """Turns sources into mono 16-bit PCM at 16 kHz.

    Attributes:
        decoder: Decodes files.
        fetcher: Fetches URLs.
        max_seconds: Longest audio of one request, all items together.
    """

    decoder: DecodePool
    fetcher: GuardedFetcher
    max_seconds: float

    async def read(self, sources: list[AudioSource], options: AsrOptions) -> list[Pcm16]:
        """The PCM of each source, in order.

        Empties `sources` on the way: the files are large and needed no more.

        Raises:
            SpeechgateError: The first item that is refused; `errors` names it.
        """
        audios: list[Pcm16] = []
        samples = 0
        for index in range(len(sources)):
            try:
                pcm = await self._one(sources.pop(0), options)
                samples += len(pcm)
                if samples > self.max_seconds * SAMPLE_RATE:
                    raise refusal("audio_too_long")
            except SpeechgateError as error:
                place = {"pointer": f"/audio/{index}", "detail": error.detail}
                error.members.setdefault("errors", [place])
                raise
            audios.append(pcm)
        return audios

    async def _one(self, source: AudioSource, options: AsrOptions) -> Pcm16:
        content = source.content
        if content is None:
            content = await self.fetcher.fetch(source.uri or "")
        decoded = await self.decoder.decode(
            content, declared=options.declared_format, rate=options.sampling_rate
        )
        return decoded.pcm
