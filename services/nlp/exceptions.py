"""Errors of the NLP service.

    SpeechgateError
    └── Unavailable             503
        └── UnusableOutput      503   model_output_invalid

Texts, languages and models: `shared.text.problems`; stored requests: `shared.problem`.
"""

from shared.problem import Unavailable


class UnusableOutput(Unavailable):
    """The model answered with something that is no result."""

    default_code = "model_output_invalid"

    def __init__(self) -> None:
        super().__init__("The model gave no usable result.")
