"""The `start` message of the native stream."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.asr.schemas.ulca import LanguageTag, Names
from services.asr.streaming.options import StreamOptions
from shared.streams import invalid_start


class StartMessage(BaseModel):
    """What a client asks for; a member that is not listed is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    type: Literal["start"]
    sample_rate: int = 16_000
    encoding: str = "pcm_s16le"
    language: LanguageTag = "en"
    interim: bool = True
    interim_ms: int = 0
    endpoint_ms: int = 704
    service_id: str | None = Field(default=None, max_length=128)
    pre_processors: Names = []
    post_processors: Names = []
    data_tracking: bool = True
    session_id: str | None = None
    resume_from: int = 0

    @classmethod
    def read(cls, document: dict[str, Any]) -> StreamOptions:
        """The checked options.

        Raises:
            StreamRefused: Names the member that is wrong.
        """
        try:
            found = cls.model_validate(document)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            member = ".".join(map(str, first["loc"]))[:64]
            raise invalid_start(f"{member}: {first['msg'][:200]}.") from None
        return StreamOptions(
            language=found.language,
            rate=found.sample_rate,
            encoding=found.encoding,
            interim=found.interim,
            interim_ms=found.interim_ms,
            silence_ms=found.endpoint_ms,
            service_id=found.service_id,
            pre_processors=tuple(found.pre_processors),
            post_processors=tuple(found.post_processors),
            store_content=found.data_tracking,
            session_id=found.session_id,
            resume_from=found.resume_from,
        )
