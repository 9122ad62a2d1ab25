"""Language identification in this process: the model is 1 MB and needs 0.1 ms a sentence."""

from collections.abc import Sequence

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from services.nlp.models.analysis import LanguageGuess

_KEPT = 3
_UNDETERMINED = LanguageGuess("und", 0.0)
"""ISO 639-2's code for a text without letters."""


class LanguageDetector:
    """The 97 languages of py3langid; reading only, so threads may share it."""

    def __init__(self) -> None:
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def detect(self, texts: Sequence[str]) -> list[list[LanguageGuess]]:
        """The likeliest languages of each text, best first."""
        return [self._guesses(text) for text in texts]

    def _guesses(self, text: str) -> list[LanguageGuess]:
        if not any(character.isalpha() for character in text):
            return [_UNDETERMINED]
        ranked = self._identifier.rank(text)[:_KEPT]
        return [LanguageGuess(language, round(score, 6)) for language, score in ranked]
