"""Settings of the TTS service."""

from typing import Annotated

from pydantic import Field, model_validator

from shared.settings import Bytes, ServiceSettings

Count = Annotated[int, Field(ge=1)]


class TtsSettings(ServiceSettings):
    """Read from `SPEECHGATE_…`."""

    port: int = Field(default=8002, ge=0, le=65535)
    max_body_bytes: Bytes = Field(default=4 * 1024 * 1024, description="Largest request body")
    tts_models: dict[str, str] = Field(
        default={"default": "tts", "tts": "tts"},
        description="Triton model of each serviceId, JSON; `default` serves requests without one",
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

    @model_validator(mode="after")
    def _has_default(self) -> "TtsSettings":
        if "default" not in self.tts_models:
            raise ValueError("SPEECHGATE_TTS_MODELS needs an entry named default")
        return self


def load_settings() -> TtsSettings:
    """The settings of this process's environment."""
    return TtsSettings()
