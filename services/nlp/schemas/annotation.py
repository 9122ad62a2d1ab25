"""Bodies of the routes for named entities and personal data."""

from typing import Annotated, Literal

from pydantic import FailFast, Field, StrictStr

from services.nlp.models.analysis import Analysis
from services.nlp.models.annotation import PiiOrder, Recognized, TextOrder
from services.nlp.schemas.common import LanguageCode, TextItems, Usage
from shared.text.ner.model import EntityKind
from shared.text.pii.model import Action, PiiKind, Redacted
from shared.wire import AnswerModel, RequestModel


class TextLanguage(RequestModel):
    """The language of all texts of a request."""

    source_language: LanguageCode


class TextConfig(RequestModel):
    """What every task needs to know."""

    language: TextLanguage


class TextRequest(RequestModel):
    """Texts and their language."""

    input: TextItems
    config: TextConfig

    def order(self) -> TextOrder:
        """The request as the domain knows it."""
        return TextOrder(
            tuple(item.source for item in self.input), self.config.language.source_language
        )


class TextAnswer(AnswerModel):
    """What every answer says."""

    id: str
    usage: Usage
    timings: dict[str, float]


class EntityEntry(AnswerModel):
    """A named entity; its span is in characters (code points) of the text."""

    type: EntityKind
    text: str
    start: int
    end: int
    confidence: float


class EntityOutput(AnswerModel):
    """One text and its entities, in order."""

    source: str
    entities: list[EntityEntry]


class EntityAnswer(TextAnswer):
    """Answer of `POST /api/v1/nlp/ner/inference`."""

    task_type: Literal["ner"] = "ner"
    output: list[EntityOutput]

    @classmethod
    def of(cls, analysis: Analysis[Recognized], request: TextRequest) -> "EntityAnswer":
        """The answer for a finished request."""
        output = []
        for item, found in zip(request.input, analysis.findings, strict=True):
            entries = [
                EntityEntry(
                    type=one.kind,
                    text=item.source[one.start : one.end],
                    start=one.start,
                    end=one.end,
                    confidence=one.confidence,
                )
                for one in found.entities
            ]
            output.append(EntityOutput(source=item.source, entities=entries))
        return cls(
            id=analysis.id,
            output=output,
            usage=Usage(characters=analysis.characters),
            timings=analysis.timings_ms,
        )


class NerPrediction(AnswerModel):
    """A token with its IOB2 tag; `O` where it belongs to no entity."""

    token: str
    tag: str = Field(examples=["B-PER"])
    token_index: int
    token_start_index: int
    token_end_index: int


class NerOutput(AnswerModel):
    """One text and all its tokens."""

    source: str
    ner_prediction: list[NerPrediction]


class UlcaNer(AnswerModel):
    """Answer of `POST /services/inference/ner`."""

    task_type: Literal["ner"] = "ner"
    output: list[NerOutput]

    @classmethod
    def of(cls, analysis: Analysis[Recognized], request: TextRequest) -> "UlcaNer":
        """The answer for a finished request."""
        output = []
        for item, found in zip(request.input, analysis.findings, strict=True):
            predictions = [
                NerPrediction(
                    token=one.token,
                    tag=one.tag,
                    token_index=index,
                    token_start_index=one.start,
                    token_end_index=one.end,
                )
                for index, one in enumerate(found.tokens)
            ]
            output.append(NerOutput(source=item.source, ner_prediction=predictions))
        return cls(output=output)


class PiiConfig(TextConfig):
    """What becomes of personal data."""

    policy: Annotated[dict[PiiKind | Literal["default"], Action], FailFast()] = Field(
        default={},
        description="What becomes of each kind; `default` is of those that are not named, `label` "
        "unless told otherwise",
        examples=[{"default": "label", "PERSON": "keep", "CREDIT_CARD": "mask"}],
    )
    salt: Annotated[StrictStr, Field(min_length=16, max_length=256)] | None = Field(
        default=None,
        description="Of the hashes, which are HMAC-SHA-256 under a key made of it and of the "
        "organization; without it the key is drawn for the request and forgotten",
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="Less sure findings are left out"
    )


class PiiRequest(RequestModel):
    """Body of `POST /api/v1/nlp/pii/inference`."""

    input: TextItems
    config: PiiConfig

    def order(self) -> PiiOrder:
        """The request as the domain knows it."""
        policy = self.config.policy
        return PiiOrder(
            texts=tuple(item.source for item in self.input),
            language=self.config.language.source_language,
            default=policy.get("default", Action.LABEL),
            actions={kind: what for kind, what in policy.items() if isinstance(kind, PiiKind)},
            salt=self.config.salt,
            least=self.config.min_confidence,
        )


class PiiEntry(AnswerModel):
    """Where personal data was; spans are in characters (code points)."""

    kind: PiiKind
    start: int = Field(description="Of the text as it was sent")
    end: int
    confidence: float
    action: Action
    redacted_start: int = Field(description="Of what stands for it in the redacted text")
    redacted_end: int


class PiiOutput(AnswerModel):
    """One text without its personal data."""

    redacted: str
    entities: list[PiiEntry]


class PiiAnswer(TextAnswer):
    """Answer of `POST /api/v1/nlp/pii/inference`; it does not repeat the texts."""

    task_type: Literal["pii"] = "pii"
    output: list[PiiOutput]

    @classmethod
    def of(cls, analysis: Analysis[Redacted]) -> "PiiAnswer":
        """The answer for a finished request."""
        output = []
        for found in analysis.findings:
            entries = [
                PiiEntry(
                    kind=one.finding.kind,
                    start=one.finding.start,
                    end=one.finding.end,
                    confidence=one.finding.confidence,
                    action=one.action,
                    redacted_start=one.start,
                    redacted_end=one.end,
                )
                for one in found.replacements
            ]
            output.append(PiiOutput(redacted=found.text, entities=entries))
        return cls(
            id=analysis.id,
            output=output,
            usage=Usage(characters=analysis.characters),
            timings=analysis.timings_ms,
        )
