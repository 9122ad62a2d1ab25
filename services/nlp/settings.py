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
    transliteration_models: dict[str, str] = Field(
        default={"default": "transliteration", "transliteration": "transliteration"},
        description=f"Transliteration: {_MAP}; empty where none is served",
    )
    itn_model: str | None = Field(
        default=None, description="Triton model that writes numbers; built-in rules without it"
    )
    punctuation_model: str | None = Field(
        default=None, description="Triton model that punctuates; built-in rules without it"
    )
    nlp_max_items: Count = Field(default=90, description="Texts in one request")
    nlp_max_characters: Count = Field(default=5_000, description="In one text")
    nlp_max_total_characters: Count = Field(default=100_000, description="In one request")
    nlp_max_characters_in_progress: Count = Field(
        default=1_000_000, description="In all requests at once; beyond it 503"
    )
    nmt_batch_sentences: Annotated[int, Field(ge=1, le=90)] = 90
    nmt_max_sentences: Count = Field(default=5_000, description="In one request")
    glossary_max_terms: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=2_000, description="In one glossary"
    )
    glossary_max_count: Count = Field(default=50, description="Glossaries of one tenant")
    conversation_max_segments: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=2_000, description="In one conversation"
    )
    conversation_max_characters: Count = Field(
        default=300_000, description="In one conversation; a segment has those of a text"
    )
    conversation_sentiment_timeout_s: Annotated[float, Field(gt=0)] = Field(
        default=10.0, description="After which a conversation is analyzed without sentiment"
    )
    conversation_rules_versions: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=1_000, description="Versions of conversation rules that a tenant may keep"
    )
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
