"""Language tags."""

import re


def primary_language(code: str) -> str:
    """`en` of `en-GB`: models know languages, not regions."""
    return re.split("[-_]", code)[0].lower()
