"""What personal data is found, and what is to be done with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class PiiKind(StrEnum):
    """Kinds of personal data; where two claim the same characters, the first has them."""

    SECRET = "SECRET"  # noqa: S105 - the name of a kind
    EMAIL = "EMAIL"
    CREDIT_CARD = "CREDIT_CARD"
    IBAN = "IBAN"
    US_SSN = "US_SSN"
    AADHAAR = "AADHAAR"
    PAN = "PAN"
    CARD_CODE = "CARD_CODE"
    DATE_OF_BIRTH = "DATE_OF_BIRTH"
    ADDRESS = "ADDRESS"
    PHONE = "PHONE"
    ACCOUNT_NUMBER = "ACCOUNT_NUMBER"
    ID_NUMBER = "ID_NUMBER"
    IP_ADDRESS = "IP_ADDRESS"
    PERSON = "PERSON"


class Action(StrEnum):
    """What becomes of a finding.

    `keep` leaves it, `mask` puts `*` for each letter and digit, `label` writes the kind, `hash`
    the kind and a keyed hash by which equal values stay equal.
    """

    KEEP = "keep"
    MASK = "mask"
    LABEL = "label"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data in a text.

    Attributes:
        kind: What it is.
        start: Index of its first character; `end` is after the last.
        confidence: 0 to 1.
        value: What it says, the same however it was written or spoken; never shown.
    """

    kind: PiiKind
    start: int
    end: int
    confidence: float
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """What becomes of each kind.

    Attributes:
        default: Of kinds that are not named.
        actions: By kind.
        key: Of the hashes; never shown.
    """

    default: Action = Action.LABEL
    actions: Mapping[PiiKind, Action] = field(default_factory=dict)
    key: bytes = field(default=b"", repr=False)

    def action(self, kind: PiiKind) -> Action:
        """What becomes of a kind."""
        return self.actions.get(kind, self.default)


@dataclass(frozen=True, slots=True)
class Replacement:
    """A finding and what stands in its place.

    Attributes:
        finding: Of the original.
        action: What was done.
        start: Where the replacement is in the redacted text; `end` is after it.
    """

    finding: Finding
    action: Action
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without what its policy hides."""

    text: str
    replacements: tuple[Replacement, ...]
