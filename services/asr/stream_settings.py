"""Settings of live recognition; each is an environment variable `SPEECHGATE_…`."""

from typing import Annotated

from pydantic import Field

from shared.settings import Bytes, Seconds, ServiceSettings

Count = Annotated[int, Field(ge=1)]


class StreamSettings(ServiceSettings):
    """What streams may take, and which models serve them."""

    vad_stream_model: str = Field(
        default="vad_stream", description="Triton model that finds speech in live streams"
    )
    asr_stream_models: dict[str, str] = Field(
        default={"asr": "asr_stream"},
        description="Triton model of finals → the one of partials, as a JSON object; where none is "
        "named, streams have no partials",
    )
    stream_max: Count = Field(default=256, description="Open streams of this process")
    stream_max_per_tenant: Count = Field(
        default=64, description="Open streams of one organization in this process"
    )
    stream_max_s: Seconds = Field(default=14_400.0, description="Longest stream, in audio seconds")
    stream_max_message_bytes: Bytes = Field(
        default=1 << 20, description="Largest message of a client; a larger one closes with 1009"
    )
    stream_start_timeout_s: Seconds = Field(
        default=10.0, description="Longest wait for a stream's start message"
    )
    stream_idle_timeout_s: Seconds = Field(
        default=45.0, description="Longest time in which no audio comes"
    )
    stream_slow_reader_s: Seconds = Field(
        default=10.0, description="Longest time that a client takes for one event"
    )
    stream_rate_factor: Annotated[float, Field(ge=1)] = Field(
        default=3.0, description="Audio seconds a second that a stream may bring in the long run"
    )
    stream_burst_s: Seconds = Field(
        default=30.0, description="Audio seconds that a stream may bring at once"
    )
    stream_utterance_max_s: Annotated[float, Field(ge=2, le=60)] = Field(
        default=15.0, description="Longest utterance; a longer one is cut at its quietest place"
    )
    stream_drain_s: Seconds = Field(
        default=5.0, description="Time for the finals of open streams after SIGTERM"
    )
    stream_tick_s: Annotated[float, Field(ge=0.01, le=0.5)] = Field(
        default=0.05, description="Streams' audio goes to voice activity detection this often"
    )
