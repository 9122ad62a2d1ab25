"""What a client of the ASR service may be told, beyond the shared errors.

InvalidField 422   unknown_model, unsupported_language, unknown_processor,
                   unsupported_processor, too_many_items
Unavailable  503   asr_saturated
NotFound     404   request_not_found
"""

from collections.abc import Iterable

from shared.problem import InvalidField, NotFound, Unavailable


def unknown_model(served: Iterable[str]) -> InvalidField:
    """The serviceId names no model that is served here."""
    listed = ", ".join(sorted(served))
    return InvalidField(
        f"No model has this serviceId; served: {listed}.",
        pointer="/config/serviceId",
        code="unknown_model",
    )


def unsupported_language(served: Iterable[str]) -> InvalidField:
    """The model does not speak the language."""
    listed = ", ".join(sorted(served))
    return InvalidField(
        f"The model does not serve this language; served: {listed}.",
        pointer="/config/language/sourceLanguage",
        code="unsupported_language",
    )


def unknown_processor(pointer: str, known: Iterable[str]) -> InvalidField:
    """No processor has this name anywhere."""
    return InvalidField(
        f"There is no such processor; known: {', '.join(sorted(known))}.",
        pointer=pointer,
        code="unknown_processor",
    )


def unsupported_processor(name: str, pointer: str) -> InvalidField:
    """A known processor that this installation does not serve."""
    return InvalidField(
        f"The processor {name} is not served here.", pointer=pointer, code="unsupported_processor"
    )


def saturated() -> Unavailable:
    """Too many requests are in work."""
    return Unavailable("Too many requests are being recognized.", code="asr_saturated")


def request_not_found() -> NotFound:
    """No such request of this tenant."""
    return NotFound("There is no such request.", code="request_not_found")
