"""How speakers are told apart, as the ULCA bodies and the forms say it."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from services.asr.models.speakers import DiarizationOptions

MAX_SPEAKERS = 20
SpeakerCount = Annotated[int, Field(ge=1, le=MAX_SPEAKERS)]
Distance = Annotated[
    float,
    Field(
        gt=0,
        lt=1,
        description="Voices farther apart than this (mean cosine distance) are two speakers; "
        "smaller finds more of them",
    ),
]


def check_counts(known: int | None, least: int | None, most: int | None) -> None:
    """Refuse counts that contradict each other.

    Raises:
        ValueError: They do.
    """
    low, high = least or 1, most or MAX_SPEAKERS
    if low > high or (known is not None and not low <= known <= high):
        raise ValueError("the counts of speakers contradict each other")


class DiarizationConfig(BaseModel):
    """How speakers are told apart."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    num_speakers: SpeakerCount | None = Field(default=None, description="How many there are")
    min_speakers: SpeakerCount | None = None
    max_speakers: SpeakerCount | None = None
    threshold: Distance | None = None
    identify_speakers: bool = Field(
        default=False, description="Look for known speakers; needs the scope speakers:read"
    )

    @model_validator(mode="after")
    def counts_agree(self) -> Self:
        """The counts do not contradict each other."""
        check_counts(self.num_speakers, self.min_speakers, self.max_speakers)
        return self

    def diarization(self) -> DiarizationOptions:
        """As the service takes it."""
        return DiarizationOptions(
            self.num_speakers,
            self.min_speakers,
            self.max_speakers,
            self.threshold,
            self.identify_speakers,
        )
