"""What the bodies of all NLP routes have in common."""

from typing import Annotated, Literal

from pydantic import Field, StrictStr

from shared.wire import AnswerModel, RequestModel

LanguageCode = Annotated[
    StrictStr,
    Field(
        pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?$",
        description="ISO 639 code",
        examples=["en"],
    ),
]
ScriptCode = Annotated[StrictStr, Field(pattern=r"^[A-Za-z]{4}$", description="ISO 15924 code")]
ServiceId = Annotated[
    StrictStr,
    Field(max_length=64, description="Which model; the default one when absent"),
]
Status = Literal["succeeded", "failed"]


class TextItem(RequestModel):
    """One text."""

    source: StrictStr = Field(examples=["Good morning."])


class Usage(AnswerModel):
    """What counts."""

    characters: int


def status_of(error_code: str | None) -> Status:
    """Of a stored request."""
    return "failed" if error_code else "succeeded"
