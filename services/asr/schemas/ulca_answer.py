"""The answer to a ULCA request under the path that ULCA's clients use."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from services.asr.schemas.answer import BestTokensOut


class UlcaTranscript(BaseModel):
    """The recognition of one recording."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    source: str
    n_best_tokens: list[BestTokensOut] | None = None


class UlcaAnswer(BaseModel):
    """The members of ULCA, and no more."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    task_type: Literal["asr"] = "asr"
    output: list[UlcaTranscript]
    config: dict[str, Any] | None = None
