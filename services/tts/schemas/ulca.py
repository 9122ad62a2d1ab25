"""The answer under the path that ULCA's clients use."""

from typing import Any, Literal

from services.tts.models.speech import Speech
from services.tts.schemas.speech import SpeechConfig
from shared.wire import AnswerModel


class UlcaAudio(AnswerModel):
    """The audio of one text."""

    audio_content: str
    audio_uri: str | None = None


class UlcaSpeechAnswer(AnswerModel):
    """The members of ULCA, and no more."""

    task_type: Literal["tts"] = "tts"
    audio: list[UlcaAudio]
    config: dict[str, Any]

    @classmethod
    def of(cls, speech: Speech, config: SpeechConfig) -> "UlcaSpeechAnswer":
        """The answer for a finished request."""
        return cls(
            audio=[UlcaAudio(audio_content=item.content) for item in speech.items],
            config={
                "language": {"sourceLanguage": config.language.source_language},
                "audioFormat": speech.output.audio_format.value,
                "encoding": "base64",
                "samplingRate": speech.output.sampling_rate,
            },
        )
