"""Speech of any language that is served, as English text."""

from dataclasses import dataclass, replace

from services.asr.exceptions import untranslatable
from services.asr.inference.nmt_model import MAX_BATCH, NmtModel
from services.asr.models.audio import AsrOptions, AudioSource
from services.asr.models.transcript import Transcript
from services.asr.services.asr_service import Answer, AsrService
from services.asr.services.routing import lookup
from shared.caller import Caller
from shared.problem import Unavailable

TARGET = "en"


@dataclass(frozen=True, slots=True)
class SpeechTranslator:
    """Recognizes, then translates.

    Attributes:
        service: Recognizes and stores.
        nmt: Translates.
    """

    service: AsrService
    nmt: NmtModel

    async def translate(
        self, sources: list[AudioSource], options: AsrOptions, caller: Caller
    ) -> Answer:
        """English transcripts: of other languages without words, for these have no times.

        Raises:
            InvalidField: The language is not translated into English.
            SpeechgateError: As recognition, or the translation model is down.
        """
        # Before the recognition, which is the dear part.
        source = options.language.partition("-")[0].lower()
        if source != TARGET:
            source = await self._source(options.language)
        answer = await self.service.transcribe(sources, options, caller)
        if source == TARGET:
            return answer
        translated = [await self._english(one, source) for one in answer.transcripts]
        return replace(answer, transcripts=tuple(translated))

    async def _source(self, tag: str) -> str:
        try:
            translated = await self.nmt.sources(TARGET)
        except Unavailable as error:
            if error.code == "inference_unavailable":
                raise
            translated = []  # There is no such model here: only English needs none.
        found = lookup(tag, translated)
        if found is None:
            raise untranslatable([TARGET, *translated])
        return found

    async def _english(self, found: Transcript, source: str) -> Transcript:
        texts = [utterance.text for utterance in found.utterances]
        english: list[str] = []
        for first in range(0, len(texts), MAX_BATCH):
            batch = texts[first : first + MAX_BATCH]
            english += await self.nmt.translate(batch, source, TARGET)
        utterances = tuple(
            replace(utterance, text=" ".join(text.split()))
            for utterance, text in zip(found.utterances, english, strict=True)
        )
        return replace(
            found,
            text=" ".join(one.text for one in utterances if one.text),
            words=(),
            utterances=utterances,
            alternatives=None,
        )
