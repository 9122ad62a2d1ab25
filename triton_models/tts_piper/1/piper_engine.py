"""Speech by Piper voices: which of a folder's voices speaks, and how. No Triton in here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Tuple

from espeak_phonemes import Phonemizer, clauses_of, sentences_of
from piper_voice import PROVIDERS, Voice, numbers_of
from speech_request import (
    MAX_AUDIO_SECONDS,
    Audio,
    Cancelled,
    ClientError,
    EngineError,
    Listed,
    Voices,
    finish,
    folder_of,
    languages_of,
    listed_voices,
    number,
    one_of,
    resample,
    values_of,
)


@dataclass(frozen=True)
class Options:
    """The parameters of config.pbtxt.

    Attributes:
        path: Folder of the voices.
        languages: Codes that may be asked for.
        voices: Names for clients; may be empty.
        sampling_rate: Of the audio given out, Hz.
        provider: ``cpu`` or ``cuda``.
        threads: Of one sentence; 0 for one a core.
        timeout: Seconds that the phonemes of a text may take.
    """

    path: Path
    languages: List[str]
    voices: List[Listed]
    sampling_rate: int = 22_050
    provider: str = "cpu"
    threads: int = 0
    timeout: int = 20

    @classmethod
    def of(cls, parameters: Mapping[str, Mapping[str, str]]) -> "Options":
        """Read the parameters of a model's configuration.

        Raises:
            EngineError: one is missing or malformed; names it.
        """
        values = values_of(parameters)
        return cls(
            path=folder_of(values.get("path", "")),
            languages=languages_of(values.get("languages", "")),
            voices=listed_voices(values.get("voices", ""), numbered=False),
            sampling_rate=number(values, "sampling_rate", 22_050, 8_000),
            provider=one_of(values, "provider", list(PROVIDERS)),
            threads=number(values, "threads", 0, 0),
            timeout=number(values, "call_timeout_s", 20, 1),
        )


def find_voices(folder: Path) -> Dict[str, Path]:
    """Return the networks of a folder by the names of their voices.

    Raises:
        EngineError: there is none, or one is empty or has no json; names it.
    """
    files = {file.name.removesuffix(".onnx"): file for file in sorted(folder.glob("*.onnx"))}
    if not files:
        raise EngineError(f"no Piper voices in {folder}: give files NAME.onnx and NAME.onnx.json")
    for name, file in files.items():
        for one in (file, file.with_name(f"{name}.onnx.json")):
            if not one.is_file() or not one.stat().st_size:
                raise EngineError(f"no Piper voice {name} in {folder}: without {one.name}")
    return files


class Synthesizer:
    """The voices of one folder."""

    def __init__(self, options: Options) -> None:
        """Load them, and have each speak.

        Raises:
            EngineError: a program or package is missing, or files are none of Piper's.
        """
        try:
            import onnxruntime  # noqa: F401, PLC0415 - only whether it is there
        except ImportError as error:
            raise EngineError("pip package onnxruntime is not installed") from error
        self._options = options
        self._speakers: Dict[str, Tuple[Voice, int]] = {}
        self._phonemizer = Phonemizer(options.timeout)
        for name, file in find_voices(options.path).items():
            voice = Voice(file, options.provider, options.threads)
            if voice.settings.espeak:
                self._phonemizer.sentences("1", voice.settings.espeak)  # Whether it is there.
            self._speakers[name] = (voice, min(voice.settings.speakers.values(), default=0))
            for speaker, place in voice.settings.speakers.items():
                self._speakers[f"{name}#{speaker}"] = (voice, place)
        own = {name: voice.settings.language for name, (voice, _) in self._speakers.items()}
        self.voices = Voices(options.voices, own, options.languages)

    def speak(
        self,
        text: str,
        speaker: str,
        speed: float,
        pitch: float,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Audio:
        """Return [T] float32 at ``Options.sampling_rate`` in [-1, 1].

        Args:
            text: from ``clean_text``.
            speaker: from ``Voices.resolve``.
            speed: factor of the voice's own pace.
            pitch: factor of its own pitch; the sound is made slower, then played faster.
            cancelled: asked before each sentence.

        Raises:
            ClientError: nothing in the text can be spoken, or too much.
            EngineError: the engine failed.
            Cancelled: the client has gone.
        """
        voice, place = self._speakers[speaker]
        factor = self._options.sampling_rate / voice.settings.sampling_rate / pitch
        pieces: List[Audio] = []
        left = MAX_AUDIO_SECONDS * self._options.sampling_rate
        for sentence in self._sentences(text, voice):
            if cancelled():
                raise Cancelled
            numbers = numbers_of(sentence, voice.settings.ids)
            if not numbers:
                continue
            pieces.append(resample(voice.run(numbers, place, pitch / speed), factor))
            left -= pieces[-1].size
            if left < 0:
                raise ClientError(f"text_too_long: over {MAX_AUDIO_SECONDS} seconds of speech")
        return finish(pieces)

    def _sentences(self, text: str, voice: Voice) -> List[str]:
        if voice.settings.espeak:
            return self._phonemizer.sentences(text, voice.settings.espeak)
        clauses = clauses_of(text)
        return sentences_of(clauses, [clause.text for clause in clauses])
