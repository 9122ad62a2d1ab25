"""Settings of the NLP service."""

from typing import Annotated

from pydantic import Field, model_validator

from shared.settings import Bytes, ServiceSettings

Count = Annotated[int, Field(ge=1)]
_MAP = "Triton model of each serviceId, JSON; `default` serves requests without one"


class NlpSettings(ServiceSettings):
    """Read from `SPEECHGATE_…`."""

    port: int = Field(default=8003, ge=0, le=65535)
    max_body_bytes: Bytes = Field(default=4 * 1024 * 1024, description="Largest request body")
    nmt_models: dict[str, str] = Field(
        default={"default": "nmt", "nmt": "nmt"}, description=f"Translation: {_MAP}"
    )
    sentiment_models: dict[str, str] = Field(
        default={"default": "sentiment", "sentiment": "sentiment"}, description=f"Sentiment: {_MAP}"
    )
    nlp_max_items: Count = Field(default=90, description="Texts in one request")
    nlp_max_characters: Count = Field(default=5_000, description="In one text")
    nlp_max_total_characters: Count = Field(default=100_000, description="In one request")
    nlp_max_characters_in_progress: Count = Field(
        default=1_000_000, description="In all requests at once; beyond it 503"
    )
    nmt_batch_sentences: Annotated[int, Field(ge=1, le=90)] = 90
    nlp_parallel_batches: Count = Field(default=4, description="Of one request, at Triton at once")
    nlp_threads: Count = Field(default=2, description="For splitting and language detection")

    @model_validator(mode="after")
    def _have_defaults(self) -> "NlpSettings":
        for name in ("nmt_models", "sentiment_models"):
            if "default" not in getattr(self, name):
                raise ValueError(f"SPEECHGATE_{name.upper()} needs an entry named default")
        return self


def load_settings() -> NlpSettings:
    """The settings of this process's environment."""
    return NlpSettings()
