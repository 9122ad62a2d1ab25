"""Errors of the NLP service.

    SpeechgateError
    ├── NotFound                404
    │   └── RequestNotFound     404   not_found
    └── Unavailable             503
        └── UnusableOutput      503   model_output_invalid

Texts, languages and models: `shared.text.problems`.
"""

from shared.problem import NotFound, Unavailable


class UnusableOutput(Unavailable):
    """The model answered with something that is no result."""

    default_code = "model_output_invalid"

    def __init__(self) -> None:
        super().__init__("The model gave no usable result.")


class RequestNotFound(NotFound):
    """No such request, or none of this tenant's."""

    def __init__(self) -> None:
        super().__init__("No such request.")
