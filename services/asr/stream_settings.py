"""Settings of live recognition; each is an environment variable `SPEECHGATE_…`."""

from typing import Annotated

from pydantic import Field

from shared.settings import Seconds, StreamingSettings


class StreamSettings(StreamingSettings):
    """What streams may take, and which models serve them."""

    vad_stream_model: str = Field(
        default="vad_stream", description="Triton model that finds speech in live streams"
    )
    asr_stream_models: dict[str, str] = Field(
        default={"asr": "asr_stream"},
        description="Triton model of finals → the one of partials, as a JSON object; where none is "
        "named, streams have no partials",
    )
    stream_max_s: Seconds = Field(default=14_400.0, description="Longest stream, in audio seconds")
    stream_rate_factor: Annotated[float, Field(ge=1)] = Field(
        default=3.0, description="Audio seconds a second that a stream may bring in the long run"
    )
    stream_burst_s: Seconds = Field(
        default=30.0, description="Audio seconds that a stream may bring at once"
    )
    stream_utterance_max_s: Annotated[float, Field(ge=2, le=60)] = Field(
        default=15.0, description="Longest utterance; a longer one is cut at its quietest place"
    )
    stream_tick_s: Annotated[float, Field(ge=0.01, le=0.5)] = Field(
        default=0.05, description="Streams' audio goes to voice activity detection this often"
    )
