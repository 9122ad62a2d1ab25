"""Errors of the NLP service.

    SpeechgateError
    ├── Conflict                409   glossary_exists, too_many_glossaries, too_many_terms,
    │                                 rules_changed, too_many_rules_versions
    ├── InvalidField            422
    │   └── InvalidRules        422   invalid_rules, in `services.conversation.reading`
    ├── NotFound                404   glossary_not_found, rules_not_found
    ├── PayloadTooLarge         413
    │   └── TooManySentences    413   too_many_sentences
    └── Unavailable             503
        └── UnusableOutput      503   model_output_invalid

Texts, languages and models: `shared.text.problems`; stored requests: `shared.problem`.
"""

from shared.problem import NotFound, PayloadTooLarge, SpeechgateError, Unavailable


class UnusableOutput(Unavailable):
    """The model answered with something that is no result."""

    default_code = "model_output_invalid"

    def __init__(self) -> None:
        super().__init__("The model gave no usable result.")


class TooManySentences(PayloadTooLarge):
    """The texts are short enough, and fall into more parts than one request may have."""

    default_code = "too_many_sentences"

    def __init__(self, limit: int) -> None:
        super().__init__(f"One request holds at most {limit} sentences.")


class Conflict(SpeechgateError):
    """The request does not go with what is stored."""

    status = 409
    title = "Conflict"
    default_code = "conflict"


def glossary_not_found() -> NotFound:
    """No such glossary of this tenant."""
    return NotFound("There is no such glossary.", code="glossary_not_found")


def glossary_exists() -> Conflict:
    """Each pair has one."""
    return Conflict("This pair of languages has a glossary.", code="glossary_exists")


def too_many_glossaries(most: int) -> Conflict:
    """The tenant has as many as it may."""
    return Conflict(f"At most {most} glossaries are kept.", code="too_many_glossaries")


def too_many_terms(most: int) -> Conflict:
    """The glossary would be too long."""
    return Conflict(f"A glossary has at most {most} terms.", code="too_many_terms")
