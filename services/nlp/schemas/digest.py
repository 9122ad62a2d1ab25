"""Bodies of the routes that say a text in fewer words, or in other marks."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from services.nlp.models.analysis import Analysis, Rewritten, Task
from services.nlp.models.annotation import (
    ChosenSentence,
    Keyword,
    KeywordOrder,
    SummaryLength,
    SummaryOrder,
)
from services.nlp.schemas.annotation import TextAnswer, TextConfig, TextRequest
from services.nlp.schemas.common import TextItems, Usage
from services.nlp.services.summary import MOST_SENTENCES
from shared.wire import AnswerModel, RequestModel


class KeywordConfig(TextConfig):
    """How many key phrases."""

    max_keywords: Annotated[int, Field(ge=1, le=100)] = Field(default=10, description="Of one text")


class KeywordRequest(RequestModel):
    """Body of `POST /api/v1/nlp/keywords/inference`."""

    input: TextItems
    config: KeywordConfig

    def order(self) -> KeywordOrder:
        """The request as the domain knows it."""
        return KeywordOrder(
            texts=tuple(item.source for item in self.input),
            language=self.config.language.source_language,
            count=self.config.max_keywords,
        )


class KeywordPlace(AnswerModel):
    """Where a phrase is, in characters (code points)."""

    start: int
    end: int


class KeywordEntry(AnswerModel):
    """A key phrase; the score is 1 for the best of its text."""

    keyword: str
    score: float
    count: int
    places: list[KeywordPlace] = Field(description="The first twenty")


class KeywordOutput(AnswerModel):
    """One text and its key phrases, the best first."""

    source: str
    keywords: list[KeywordEntry]


class KeywordAnswer(TextAnswer):
    """Answer of `POST /api/v1/nlp/keywords/inference`."""

    task_type: Literal["keywords"] = "keywords"
    output: list[KeywordOutput]

    @classmethod
    def of(cls, analysis: Analysis[list[Keyword]], request: KeywordRequest) -> "KeywordAnswer":
        """The answer for a finished request."""
        output = []
        for item, found in zip(request.input, analysis.findings, strict=True):
            entries = [
                KeywordEntry(
                    keyword=one.text,
                    score=one.score,
                    count=one.count,
                    places=[KeywordPlace(start=start, end=end) for start, end in one.places],
                )
                for one in found
            ]
            output.append(KeywordOutput(source=item.source, keywords=entries))
        return cls(
            id=analysis.id,
            output=output,
            usage=Usage(characters=analysis.characters),
            timings=analysis.timings_ms,
        )


class SummaryConfig(TextConfig):
    """How long a summary is: a number of sentences, or a share of them."""

    sentences: Annotated[int, Field(ge=1, le=MOST_SENTENCES)] | None = Field(
        default=None, description="Of one summary; 3 unless a ratio is given"
    )
    ratio: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description=f"Of the text's sentences; at most {MOST_SENTENCES} are chosen"
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> "SummaryConfig":
        if self.sentences is not None and self.ratio is not None:
            raise ValueError("give sentences or ratio, not both")
        return self


class SummaryRequest(RequestModel):
    """Body of `POST /api/v1/nlp/summary/inference`."""

    input: TextItems
    config: SummaryConfig

    def order(self) -> SummaryOrder:
        """The request as the domain knows it."""
        default = SummaryLength()
        return SummaryOrder(
            texts=tuple(item.source for item in self.input),
            language=self.config.language.source_language,
            length=SummaryLength(self.config.sentences or default.sentences, self.config.ratio),
        )


class SentenceEntry(AnswerModel):
    """A chosen sentence; the score is 1 for the most telling one."""

    text: str
    start: int
    end: int
    score: float


class SummaryOutput(AnswerModel):
    """One text, its summary, and the sentences it is made of, in the order of the text."""

    source: str
    summary: str
    sentences: list[SentenceEntry]


class SummaryAnswer(TextAnswer):
    """Answer of `POST /api/v1/nlp/summary/inference`."""

    task_type: Literal["summary"] = "summary"
    output: list[SummaryOutput]

    @classmethod
    def of(
        cls, analysis: Analysis[list[ChosenSentence]], request: SummaryRequest
    ) -> "SummaryAnswer":
        """The answer for a finished request."""
        output = []
        for item, found in zip(request.input, analysis.findings, strict=True):
            entries = [
                SentenceEntry(
                    text=item.source[one.start : one.end],
                    start=one.start,
                    end=one.end,
                    score=one.score,
                )
                for one in found
            ]
            summary = " ".join(one.text for one in entries)
            output.append(SummaryOutput(source=item.source, summary=summary, sentences=entries))
        return cls(
            id=analysis.id,
            output=output,
            usage=Usage(characters=analysis.characters),
            timings=analysis.timings_ms,
        )


class RewriteOutput(AnswerModel):
    """One text and how it is written."""

    source: str
    target: str


class RewriteAnswer(TextAnswer):
    """Answer of `POST /api/v1/nlp/{itn|punctuation}/inference`."""

    task_type: Literal["itn", "punctuation"]
    output: list[RewriteOutput]

    @classmethod
    def of(cls, task: Task, analysis: Analysis[Rewritten], request: TextRequest) -> "RewriteAnswer":
        """The answer for a finished request."""
        return cls(
            id=analysis.id,
            task_type="itn" if task is Task.ITN else "punctuation",
            output=[
                RewriteOutput(source=item.source, target=found.text)
                for item, found in zip(request.input, analysis.findings, strict=True)
            ],
            usage=Usage(characters=analysis.characters),
            timings=analysis.timings_ms,
        )
