"""What a client of the ASR service may be told, beyond the shared errors.

InvalidField 422   unknown_model, unsupported_language, unknown_processor,
                   unsupported_processor, unsupported_parameter, unsupported_boost,
                   empty_reference, too_many_items,
                   consent_required, speech_too_short, several_speakers,
                   same_speaker
                   empty_span
TooLarge     413   recording_too_large
Unavailable  503   asr_saturated, encryption_unconfigured, keeping_disabled
NotFound     404   request_not_found, model_not_found, speaker_not_found, prototype_not_found,
                   recording_not_found
Conflict     409   too_many_speakers, too_many_prototypes, last_prototype
"""

from collections.abc import Iterable, Mapping, Sequence

from shared.problem import InvalidField, NotFound, PayloadTooLarge, SpeechgateError, Unavailable


def unknown_model(served: Iterable[str]) -> InvalidField:
    """The serviceId names no model that is served here."""
    listed = ", ".join(sorted(served))
    return InvalidField(
        f"No model has this serviceId; served: {listed}.",
        pointer="/config/serviceId",
        code="unknown_model",
    )


def unserved_language(served: Mapping[str, Sequence[str]]) -> InvalidField:
    """The model does not speak the language; `served` has languages by serviceId."""
    services: dict[str, list[str]] = {}
    for name, languages in sorted(served.items()):
        for language in languages:
            services.setdefault(language, []).append(name)
    listed = ", ".join(f"{language} ({', '.join(by)})" for language, by in sorted(services.items()))
    return InvalidField(
        f"The model does not serve this language; served: {listed}.",
        pointer="/config/language/sourceLanguage",
        code="unsupported_language",
    )


def untranslatable(served: Iterable[str]) -> InvalidField:
    """No model translates the language into English."""
    return InvalidField(
        f"This language is not translated into English; served: {', '.join(sorted(set(served)))}.",
        pointer="/language",
        code="unsupported_language",
    )


def no_such_openai_model() -> NotFound:
    """The id names no model; the dialect's own answer to that is a 404."""
    return NotFound("There is no such model.", code="model_not_found")


def unsupported_parameter(name: str, reason: str) -> InvalidField:
    """A known parameter that does not go with the others, or is not served here."""
    return InvalidField(reason, pointer=f"/{name}", code="unsupported_parameter")


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


def unserved_processor_language(name: str, pointer: str, served: Iterable[str]) -> InvalidField:
    """A processor that does not know the language."""
    return InvalidField(
        f"The processor {name} does not serve this language; served: {', '.join(sorted(served))}.",
        pointer=pointer,
        code="unsupported_processor",
    )


def unsupported_boost() -> InvalidField:
    """The model takes no phrases to listen for."""
    return InvalidField(
        "The model cannot prefer phrases; leave boost out.",
        pointer="/config/boost",
        code="unsupported_boost",
    )


def unmatched_references(items: int) -> InvalidField:
    """There are more or fewer references than recordings."""
    return InvalidField(f"References are for {items} recordings.", pointer="/audio")


def empty_reference(pointer: str) -> InvalidField:
    """A reference without a word."""
    return InvalidField("The reference has no words.", pointer=pointer, code="empty_reference")


def saturated() -> Unavailable:
    """Too many requests are in work."""
    return Unavailable("Too many requests are being recognized.", code="asr_saturated")


def request_not_found() -> NotFound:
    """No such request of this tenant."""
    return NotFound("There is no such request.", code="request_not_found")


class Conflict(SpeechgateError):
    """The request does not go with what is stored."""

    status = 409
    title = "Conflict"
    default_code = "conflict"


def consent_required() -> InvalidField:
    """A voice is stored only with the consent of the person."""
    return InvalidField(
        "A voice is stored only with the person's consent; send consent=true.",
        pointer="/consent",
        code="consent_required",
    )


def speech_too_short(least_s: float) -> InvalidField:
    """The recording holds too little speech to know a voice by."""
    return InvalidField(
        f"The recording must hold at least {least_s:g} seconds of speech.",
        pointer="/file",
        code="speech_too_short",
    )


def several_speakers() -> InvalidField:
    """The recording of one voice holds more than one."""
    return InvalidField(
        "The recording must be of one speaker; several were heard.",
        pointer="/file",
        code="several_speakers",
    )


def same_speaker() -> InvalidField:
    """A speaker is to be merged with itself."""
    return InvalidField("These are the same speaker.", pointer="/from", code="same_speaker")


def speaker_not_found(what: str = "speaker") -> NotFound:
    """No such speaker, or prototype, of this tenant."""
    return NotFound(f"There is no such {what}.", code=f"{what}_not_found")


def too_many_speakers(most: int) -> Conflict:
    """The tenant has as many as it may."""
    return Conflict(f"At most {most} speakers are kept.", code="too_many_speakers")


def too_many_prototypes(most: int) -> Conflict:
    """The speaker has as many as it may."""
    return Conflict(f"A speaker has at most {most} prototypes.", code="too_many_prototypes")


def last_prototype() -> Conflict:
    """A speaker without a prototype could never be recognized."""
    return Conflict(
        "A speaker keeps at least one prototype; delete the speaker instead.",
        code="last_prototype",
    )


def encryption_unconfigured() -> Unavailable:
    """Voices and recordings are stored encrypted, and there is no key."""
    return Unavailable(
        "No encryption key is configured, so that no voice or recording is stored or read.",
        code="encryption_unconfigured",
    )


def keeping_disabled() -> Unavailable:
    """This installation keeps no recording."""
    return Unavailable("No recording is kept here.", code="keeping_disabled")


def recording_not_found() -> NotFound:
    """No such recording of this tenant, or not any more."""
    return NotFound("There is no such recording.", code="recording_not_found")


def recording_too_large() -> PayloadTooLarge:
    """The recording alone is more than the tenant may keep."""
    return PayloadTooLarge("The recording is too large to be kept.", code="recording_too_large")


def empty_span() -> InvalidField:
    """A clip without length, or behind the recording's end."""
    return InvalidField("The clip holds nothing.", pointer="/end", code="empty_span")
