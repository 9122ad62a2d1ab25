"""Errors of the TTS service.

    SpeechgateError
    ├── InvalidField                422
    │   ├── SsmlUnsupported         422   ssml_unsupported
    │   ├── UnsupportedAudioFormat  422   unsupported_audio_format
    │   └── UnsupportedSamplingRate 422   unsupported_sampling_rate
    ├── PayloadTooLarge             413
    │   └── AudioTooLarge           413   audio_too_large
    └── Unavailable                 503
        └── UnusableAudio           503   model_output_invalid

Texts, languages and models: `shared.text.problems`; stored requests: `shared.problem`.
"""

from collections.abc import Iterable

from shared.problem import InvalidField, PayloadTooLarge, Unavailable


class SsmlUnsupported(InvalidField):
    """Markup is refused: the engine's SSML can open local files."""

    default_code = "ssml_unsupported"

    def __init__(self, pointer: str) -> None:
        super().__init__("SSML is not supported; send plain text.", pointer=pointer)


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
