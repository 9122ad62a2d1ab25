"""Settings of the TTS service."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.serving import DEFAULT_SERVICE
from shared.settings import Bytes, Seconds, StreamingSettings

Count = Annotated[int, Field(ge=1)]
_FEMALE = ("alloy", "coral", "marin", "nova", "sage", "shimmer")
_MALE = ("ash", "ballad", "cedar", "echo", "fable", "onyx", "verse")


class TtsSettings(StreamingSettings):
    """Read from `SPEECHGATE_…`."""

    port: int = Field(default=8002, ge=0, le=65535)
    max_body_bytes: Bytes = Field(default=4 * 1024 * 1024, description="Largest request body")
    tts_models: dict[str, str] = Field(
        default={"default": "tts", "tts": "tts"},
        description="Triton model of each serviceId, JSON; `default` serves requests without one",
    )
    tts_openai_models: dict[str, str] = Field(
        default=dict.fromkeys(
            ("tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15"), "default"
        ),
        description="Model name of the OpenAI dialect → serviceId, as a JSON object; a serviceId "
        "is a model name too",
    )
    tts_openai_voices: dict[str, str] = Field(
        default={**dict.fromkeys(_FEMALE, "female"), **dict.fromkeys(_MALE, "male")},
        description="Voice name of the OpenAI dialect → gender, or a voice of the model's own, as "
        "a JSON object; the id of a listed voice is a name too",
    )
    tts_default_language: str = Field(
        default="en",
        description="Language of a request in the OpenAI dialect whose voice has none of its own",
    )
    tts_max_items: Count = 16
    tts_max_characters: Count = Field(default=10_000, description="In one text")
    tts_max_total_characters: Count = Field(
        default=20_000, description="In all texts of a request; about 20 minutes of audio"
    )
    tts_max_audio_bytes: Bytes = Field(
        default=96 * 1024 * 1024, description="Encoded audio of a request, all of it in one answer"
    )
    tts_max_characters_in_progress: Count = Field(
        default=100_000, description="In all requests at once; beyond it 503"
    )
    tts_chunk_characters: Annotated[int, Field(ge=50, le=400)] = 400
    tts_parallel_chunks: Count = Field(default=4, description="Of one request, at Triton at once")
    tts_encode_threads: Count = 2
    tts_stream_max_characters: Count = Field(
        default=100_000, description="Of a live stream; beyond it the stream ends"
    )
    tts_stream_max_s: Seconds = Field(
        default=3600.0, description="Longest live stream, in seconds of time"
    )
    tts_lexicon_entries: Count = Field(default=1000, description="Of one tenant; beyond it 409")
    tts_lexicon_ttl_s: Seconds = Field(
        default=5.0,
        description="How long a tenant's lexicon is remembered, so that another replica's change "
        "may be unknown",
    )
    tts_cache_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=0,
        description="Sound of parts of texts that is kept in memory, 44 kB a second; 0 for none",
    )
    tts_cache_ttl_s: Seconds = Field(
        default=3600.0, description="How long it is used: a model may change behind its name"
    )

    @model_validator(mode="after")
    def _has_default(self) -> Self:
        if DEFAULT_SERVICE not in self.tts_models:
            raise ValueError("SPEECHGATE_TTS_MODELS needs an entry named default")
        unknown = set(self.tts_openai_models.values()) - set(self.tts_models)
        if unknown:
            raise ValueError(f"no such serviceId in tts_models: {', '.join(sorted(unknown))}")
        return self


def load_settings() -> TtsSettings:
    """The settings of this process's environment."""
    return TtsSettings()
