"""Errors of the TTS service.

    SpeechgateError
    ├── InvalidField                422
    │   ├── SsmlMalformed           422   ssml_malformed
    │   ├── SsmlUnsupported         422   ssml_unsupported
    │   ├── SsmlInvalidValue        422   ssml_invalid_value
    │   ├── SsmlTooComplex          422   ssml_too_complex
    │   ├── InvalidPhrase           422   invalid_phrase
    │   ├── PitchUnsupported        422   pitch_unsupported
    │   ├── SpeedUnsupported        422   speed_unsupported
    │   ├── UnknownVoice            422   unknown_voice
    │   ├── UnsupportedAudioFormat  422   unsupported_audio_format
    │   └── UnsupportedSamplingRate 422   unsupported_sampling_rate
    ├── NotFound                    404
    │   └── LexiconEntryNotFound    404   lexicon_entry_not_found
    ├── Conflict                    409
    │   ├── LexiconEntryExists      409   lexicon_entry_exists
    │   └── LexiconFull             409   lexicon_full
    ├── PayloadTooLarge             413
    │   └── AudioTooLarge           413   audio_too_large
    └── Unavailable                 503
        └── UnusableAudio           503   model_output_invalid

Texts, languages and models: `shared.text.problems`; stored requests: `shared.problem`.
"""

from collections.abc import Iterable

from shared.problem import InvalidField, NotFound, PayloadTooLarge, SpeechgateError, Unavailable


class SsmlMalformed(InvalidField):
    """The markup is no well-formed XML."""

    default_code = "ssml_malformed"

    def __init__(self, detail: str, pointer: str) -> None:
        super().__init__(detail, pointer=pointer)


class SsmlUnsupported(InvalidField):
    """The markup uses what is not served here: much of XML and SSML opens files."""

    default_code = "ssml_unsupported"

    def __init__(self, detail: str, pointer: str) -> None:
        super().__init__(detail, pointer=pointer)


class SsmlInvalidValue(InvalidField):
    """An attribute of the markup has a value that means nothing, or too much."""

    default_code = "ssml_invalid_value"

    def __init__(self, detail: str, pointer: str) -> None:
        super().__init__(detail, pointer=pointer)


class SsmlTooComplex(InvalidField):
    """The markup has more of something than any text needs."""

    default_code = "ssml_too_complex"

    def __init__(self, detail: str, pointer: str) -> None:
        super().__init__(detail, pointer=pointer)


class InvalidPhrase(InvalidField):
    """An entry of a lexicon could never be found, or said."""

    default_code = "invalid_phrase"

    def __init__(self, detail: str, pointer: str) -> None:
        super().__init__(detail, pointer=pointer)


class LexiconEntryNotFound(NotFound):
    """No entry of the tenant's lexicon has this id."""

    default_code = "lexicon_entry_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such entry.")


class Conflict(SpeechgateError):
    """The request does not go with what is stored."""

    status = 409
    title = "Conflict"
    default_code = "conflict"


class LexiconEntryExists(Conflict):
    """The phrase is in the lexicon already."""

    default_code = "lexicon_entry_exists"

    def __init__(self) -> None:
        super().__init__("The lexicon has an entry for this phrase in this language.")


class LexiconFull(Conflict):
    """The tenant has as many entries as it may."""

    default_code = "lexicon_full"

    def __init__(self, most: int) -> None:
        super().__init__(f"A lexicon has at most {most} entries.")


class PitchUnsupported(InvalidField):
    """The model speaks at its own pitch only."""

    default_code = "pitch_unsupported"

    def __init__(self) -> None:
        super().__init__("This model cannot change its pitch.", pointer="/config/pitch")


class SpeedUnsupported(InvalidField):
    """The model speaks at its own speed only."""

    default_code = "speed_unsupported"

    def __init__(self) -> None:
        super().__init__("This model cannot change its speed.", pointer="/config/speed")


class UnknownVoice(InvalidField):
    """The model has no such voice in the language."""

    default_code = "unknown_voice"

    def __init__(self, known: Iterable[str]) -> None:
        names = ", ".join(known) or "none"
        super().__init__(
            f"The model has no such voice in this language; it has: {names}.",
            pointer="/config/voice",
        )


class UnsupportedAudioFormat(InvalidField):
    """Audio is not made in this format."""

    default_code = "unsupported_audio_format"

    def __init__(self, known: Iterable[str]) -> None:
        super().__init__(
            f"No such audio format; made here: {', '.join(known)}.", pointer="/config/audioFormat"
        )


class UnsupportedSamplingRate(InvalidField):
    """The format cannot hold the rate."""

    default_code = "unsupported_sampling_rate"

    def __init__(self, held: str) -> None:
        super().__init__(
            f"This format is made at {held} Hz.",
            pointer="/config/samplingRate",
        )


class AudioTooLarge(PayloadTooLarge):
    """The answer would pass its bound."""

    default_code = "audio_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The audio is larger than {limit} bytes; send less text, or ask for a compressed "
            "format or a lower sampling rate."
        )


class UnusableAudio(Unavailable):
    """The model answered with something that is no audio."""

    default_code = "model_output_invalid"

    def __init__(self) -> None:
        super().__init__("The model gave no usable audio.")
