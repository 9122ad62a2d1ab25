"""Which of a model's voices speaks."""

from collections.abc import Sequence

from services.tts.exceptions import UnknownVoice
from services.tts.models.speech import Voice
from services.tts.models.voices import GENDERS, ModelFacts, ModelVoice
from shared.text.languages import primary_language


def speaker_of(facts: ModelFacts, voice: Voice, language: str) -> str:
    """What the model is told for a part in a language.

    A voice that was asked for by name speaks its own language; for parts in another one, a voice
    of the asked gender stands in.

    Args:
        facts: Of the model.
        voice: Of the request, checked by `choose_voice`.
        language: Of the part, ISO 639.
    """
    named = find_voice(facts, voice.name)
    if named is not None and _same(named.language, language):
        return named.name
    if voice.name is not None and named is None and _same(voice.language, language):
        return voice.name
    gender = named.gender if named is not None and named.gender else voice.gender
    able = [one for one in facts.named if _same(one.language, language)]
    fitting = [one for one in able if one.gender == gender] or able
    return fitting[0].name if fitting else gender


def find_voice(facts: ModelFacts, name: str | None) -> ModelVoice | None:
    """The voice of an id or a name; None where the model lists none such.

    A gender alone is no voice's name: it has one in every language.
    """
    if name is None or name in GENDERS:
        return None
    return next((one for one in facts.voices if name in (one.id, one.name)), None)


def choose_voice(facts: ModelFacts, wanted: Voice, default_language: str) -> Voice:
    """The voice of a request, with its language.

    Args:
        facts: Of the model.
        wanted: As the client wrote it; without a language, that of the named voice is meant.
        default_language: Of requests that name neither.

    Raises:
        UnknownVoice: The model names its voices, and this is none of them, or of another language.
    """
    named = find_voice(facts, wanted.name)
    name: str | None = wanted.name
    gender = named.gender if named is not None and named.gender else wanted.gender
    if wanted.name is not None and wanted.name in GENDERS:
        name, gender = None, wanted.name
    language = wanted.language or (named.language if named is not None else default_language)
    if named is not None and not _same(named.language, language):
        raise UnknownVoice(_names(facts, language))
    if name is not None and named is None and facts.named:
        raise UnknownVoice(_names(facts, language))
    return Voice(language, gender, name, wanted.speed, wanted.pitch)


def _names(facts: ModelFacts, language: str) -> Sequence[str]:
    return [one.id for one in facts.voices if _same(one.language, language)]


def _same(one: str, other: str) -> bool:
    return primary_language(one) == primary_language(other)
