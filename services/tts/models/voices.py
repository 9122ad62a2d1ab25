"""What a model can speak with."""

from dataclasses import dataclass

GENDERS = ("female", "male")


@dataclass(frozen=True, slots=True)
class ModelVoice:
    """One voice of a model in one language.

    Attributes:
        name: What the model calls it, or a gender where it has no names.
        language: ISO 639 code.
        gender: `male` or `female`; empty where the model does not say.
    """

    name: str
    language: str
    gender: str

    @property
    def id(self) -> str:
        """What a request may name it by; one id for each voice of a model."""
        return f"{self.language}-{self.name}" if self.name in GENDERS else self.name


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model's configuration says of it.

    Attributes:
        languages: ISO 639 codes; empty where it does not say.
        sampling_rate: Of its audio, in Hz.
        named: The voices that it names; empty where it has a male and a female one for each
            language.
        takes_speed: Whether it can speak faster and slower.
        takes_pitch: Whether it can speak higher and lower.
        gives_pcm: Whether it gives its sound as 16-bit integers too.
        revision: Changes with the configuration.
    """

    languages: tuple[str, ...]
    sampling_rate: int
    named: tuple[ModelVoice, ...] = ()
    takes_speed: bool = True
    takes_pitch: bool = True
    gives_pcm: bool = False
    revision: str = ""

    @property
    def voices(self) -> tuple[ModelVoice, ...]:
        """All that a request may name."""
        return self.named or tuple(
            ModelVoice(gender, language, gender)
            for language in self.languages
            for gender in GENDERS
        )


@dataclass(frozen=True, slots=True)
class ServedVoice:
    """A voice as clients see it."""

    service_id: str
    voice: ModelVoice
    sampling_rate: int
