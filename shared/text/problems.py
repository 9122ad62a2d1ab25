"""What can be wrong with a text that a client sent.

SpeechgateError
├── InvalidField          422
│   ├── EmptyText         422   empty_text
│   ├── TooManyItems      422   too_many_items
│   ├── UnknownModel      422   unknown_model
│   └── UnsupportedLanguage 422 unsupported_language
└── PayloadTooLarge       413
    └── TextTooLong       413   text_too_long
"""

from collections.abc import Iterable

from shared.problem import InvalidField, PayloadTooLarge


class EmptyText(InvalidField):
    """Nothing to work on."""

    default_code = "empty_text"

    def __init__(self, pointer: str, detail: str = "The text is empty.") -> None:
        super().__init__(detail, pointer=pointer)


class TooManyItems(InvalidField):
    """More items than one request may hold."""

    default_code = "too_many_items"

    def __init__(self, limit: int) -> None:
        super().__init__(f"One request holds at most {limit} items.", pointer="/input")


class UnknownModel(InvalidField):
    """No model goes by this `serviceId`."""

    default_code = "unknown_model"

    def __init__(self, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known))
        super().__init__(f"No such serviceId; known: {names}.", pointer="/config/serviceId")


class UnsupportedLanguage(InvalidField):
    """No loaded model serves this language or pair; `served` lists what is served."""

    default_code = "unsupported_language"

    def __init__(self, served: Iterable[str], pointer: str) -> None:
        found = list(served)
        super().__init__(
            f"No loaded model serves this language; served: {', '.join(found)}.", pointer=pointer
        )
        self.members["served"] = found


class TextTooLong(PayloadTooLarge):
    """A bound on the length of the text was passed."""

    default_code = "text_too_long"

    def __init__(self, limit: int, pointer: str) -> None:
        detail = f"The text is longer than {limit} characters."
        super().__init__(detail, members={"errors": [{"pointer": pointer, "detail": detail}]})
