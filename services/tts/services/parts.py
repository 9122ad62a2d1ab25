"""The sound of one part of a script, from memory or from the model."""

from services.tts.exceptions import PitchUnsupported, SpeedUnsupported, UnusableAudio
from services.tts.inference.tts import TtsModel
from services.tts.models.script import Say
from services.tts.models.sound import Pcm16
from services.tts.services.part_cache import PartCache, part_key
from services.tts.services.run import Run
from services.tts.services.voices import speaker_of

OWN_WORDS_PER_MINUTE = 140.0
"""Of a model that is not told how fast to speak."""
SPEEDS = (0.6, 3.0)
PITCHES = (0.5, 2.0)


class PartSource:
    """Speaks parts.

    Args:
        model: Makes sound.
        cache: Keeps it.
    """

    def __init__(self, model: TtsModel, cache: PartCache) -> None:
        self._model = model
        self._cache = cache

    async def speak(self, run: Run, say: Say) -> Pcm16:
        """The sound of a part, `[n] int16`, at the model's rate; not to be written to.

        Raises:
            SpeechgateError: The model refuses the part, cannot be reached, or cannot speak at
                another speed or pitch.
        """
        language = say.language or run.voice.language
        speaker = speaker_of(run.facts, run.voice, language)
        speed = _within(run.voice.speed * say.speed, SPEEDS)
        pitch = _within(run.voice.pitch * say.pitch, PITCHES)
        if speed != 1.0 and not run.facts.takes_speed:
            raise SpeedUnsupported
        if pitch != 1.0 and not run.facts.takes_pitch:
            raise PitchUnsupported

        async def make() -> Pcm16:
            part = await self._model.speak(
                run.model,
                say.text,
                language=language,
                speaker=speaker,
                words_per_minute=None if speed == 1.0 else OWN_WORDS_PER_MINUTE * speed,
                pitch=None if pitch == 1.0 else pitch,
            )
            if not len(part):
                raise UnusableAudio
            return part

        if not run.order.cached:
            return await make()
        key = part_key(
            run.caller.tenant_id,
            *(run.model, run.facts.revision, language, speaker, speed, pitch, say.text),
        )
        return await self._cache.get(key, make)


def _within(factor: float, bounds: tuple[float, float]) -> float:
    """The factor, or the nearest that engines can speak with; four digits are heard as equal."""
    lowest, highest = bounds
    return round(min(max(factor, lowest), highest), 4)
