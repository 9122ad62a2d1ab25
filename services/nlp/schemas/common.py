"""What the bodies of all NLP routes have in common."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import FailFast, Field, StrictStr

from services.nlp.models.languages import Pair
from services.nlp.services.language_codes import variety
from shared.wire import AnswerModel, RequestModel

LanguageCode = Annotated[
    StrictStr,
    Field(
        pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$",
        description="ISO 639 code; script and region may follow",
        examples=["en"],
    ),
]
ScriptCode = Annotated[
    StrictStr,
    # ULCA's clients send an empty one for none.
    Field(pattern=r"^([A-Za-z]{4})?$", description="ISO 15924 code", examples=["Latn"]),
]
ServiceId = Annotated[
    StrictStr,
    Field(max_length=64, description="Which model; the default one when absent"),
]
Status = Literal["succeeded", "failed"]


class TextItem(RequestModel):
    """One text."""

    source: StrictStr = Field(examples=["Good morning."])


# A body may hold a million entries: naming each that is wrong would hold up the event loop.
TextItems = Annotated[list[TextItem], FailFast()]


class Usage(AnswerModel):
    """What counts."""

    characters: int


class LanguagePair(RequestModel):
    """From which language into which; scripts where a language is written in several."""

    source_language: LanguageCode
    target_language: LanguageCode
    source_script_code: ScriptCode | None = None
    target_script_code: ScriptCode | None = None

    @property
    def pair(self) -> Pair:
        """The languages."""
        return Pair(self.source_language, self.target_language)

    @property
    def scripts(self) -> tuple[str | None, str | None]:
        """Of source and target, where they are said."""
        return self.source_script_code or None, self.target_script_code or None


class LanguagePairAnswer(AnswerModel):
    """From which language into which."""

    source_language: str
    target_language: str
    source_script_code: str | None = None
    target_script_code: str | None = None

    @classmethod
    def of(cls, said: LanguagePair) -> "LanguagePairAnswer":
        """As the request said it."""
        source_script, target_script = said.scripts
        return cls(
            source_language=said.source_language,
            target_language=said.target_language,
            source_script_code=source_script,
            target_script_code=target_script,
        )


class PairEntry(AnswerModel):
    """One direction of one model; scripts where the model says them."""

    service_id: str
    source_language: str
    target_language: str
    source_script_code: str | None = None
    target_script_code: str | None = None


class PairsAnswer(AnswerModel):
    """The directions that are served."""

    pairs: list[PairEntry]

    @classmethod
    def of(cls, served: Mapping[str, Sequence[Pair]]) -> "PairsAnswer":
        """From the pairs by serviceId, as the models name them."""
        entries = []
        for service_id, pairs in served.items():
            for pair in pairs:
                source, target = variety(pair.source), variety(pair.target)
                entries.append(
                    PairEntry(
                        service_id=service_id,
                        source_language=source.language,
                        target_language=target.language,
                        source_script_code=source.script,
                        target_script_code=target.script,
                    )
                )
        return cls(pairs=entries)


def status_of(error_code: str | None) -> Status:
    """Of a stored request."""
    return "failed" if error_code else "succeeded"
