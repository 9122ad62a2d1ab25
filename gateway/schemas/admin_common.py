"""What the bodies of `/api/v1/admin/…` have in common."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
)

NAME_LENGTH = 100
MAX_QUOTA = 1_000_000_000
_LATEST = datetime(2999, 12, 31, tzinfo=UTC)


class AdminRequest(BaseModel):
    """A request; a member that it does not know is an error, as it could be a misspelt limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def given(self) -> dict[str, Any]:
        """The members that the sender named, also those that are null."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class AdminAnswer(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)


def printable(text: str) -> str:
    """The text, if it can be shown on one line.

    Raises:
        ValueError: It cannot.
    """
    if not text.isprintable():
        raise ValueError("not printable")
    return text


def _text(value: object) -> object:
    if value is not None and not isinstance(value, str):
        raise ValueError("not an RFC 3339 time")
    return value


def _storable(value: datetime) -> datetime:
    if value > _LATEST:
        raise ValueError("too far away")
    return value


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH),
    AfterValidator(printable),
]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,64}$")]
Quota = Annotated[StrictInt, Field(ge=1, le=MAX_QUOTA)]
Time = Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(_storable)]
ModelName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._/-]{0,127}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(printable)]
"""The name of a role or a permission; whether it exists is the service's question."""
