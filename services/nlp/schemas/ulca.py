"""Answers under the paths of ULCA's clients: its members, and no more."""

from typing import Any, Literal

from services.nlp.models.analysis import Analysis, LanguageGuess
from services.nlp.models.translation import Translation
from services.nlp.models.transliteration import Transliteration
from services.nlp.schemas.analysis import DetectionOutput, DetectionRequest, LanguagePrediction
from services.nlp.schemas.translation import TranslationOutput
from services.nlp.schemas.transliteration import TransliterationOutput, transliterated
from shared.wire import AnswerModel


class UlcaTranslation(AnswerModel):
    """Answer of `POST /services/inference/translation`."""

    task_type: Literal["translation"] = "translation"
    output: list[TranslationOutput]
    config: dict[str, Any] | None = None

    @classmethod
    def of(cls, made: Translation, said: dict[str, Any]) -> "UlcaTranslation":
        """The answer for a finished request."""
        return cls(output=[TranslationOutput.of(item) for item in made.items], config=said)


class UlcaTransliteration(AnswerModel):
    """Answer of `POST /services/inference/transliteration`."""

    task_type: Literal["transliteration"] = "transliteration"
    output: list[TransliterationOutput]
    config: dict[str, Any] | None = None

    @classmethod
    def of(cls, made: Transliteration, said: dict[str, Any]) -> "UlcaTransliteration":
        """The answer for a finished request."""
        return cls(output=transliterated(made), config=said)


class UlcaDetection(AnswerModel):
    """Answer of `POST /services/inference/txt-lang-detection`."""

    task_type: Literal["txt-lang-detection"] = "txt-lang-detection"
    output: list[DetectionOutput]

    @classmethod
    def of(cls, found: Analysis[list[LanguageGuess]], request: DetectionRequest) -> "UlcaDetection":
        """The answer for a finished request."""
        return cls(
            output=[
                DetectionOutput(
                    source=item.source,
                    lang_prediction=[
                        LanguagePrediction(lang_code=guess.language, lang_score=guess.probability)
                        for guess in guesses
                    ],
                )
                for item, guesses in zip(request.input, found.findings, strict=True)
            ]
        )
