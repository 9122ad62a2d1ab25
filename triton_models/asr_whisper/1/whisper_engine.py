"""Whisper recognition by CTranslate2: weights, bounds, words.

No Triton in here, and faster-whisper is imported only when weights are
loaded, so that the pure parts can be tested without either.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
MAX_SECONDS = 600
MAX_TOPK = 10
# Shorter audio holds no word.
MIN_SAMPLES = 1_600
# Without tokenizer.json the engine would fetch one from the internet.
FILES = ("model.bin", "config.json", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

Samples = NDArray[np.int16]


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


class EngineError(Exception):
    """The engine failed, or its weights cannot be used."""


class Cancelled(Exception):
    """The client has gone."""


@dataclass(frozen=True)
class Options:
    """The parameters of config.pbtxt.

    Attributes:
        path: Folder of the weights.
        languages: Codes that may be asked for.
        device: ``cpu``, ``cuda`` or ``auto``.
        compute_type: A CTranslate2 type, such as ``int8``.
        threads: Of one recognition; 0 for one a core.
        beam_size: Hypotheses that are followed.
    """

    path: Path
    languages: List[str]
    device: str = "cpu"
    compute_type: str = "int8"
    threads: int = 0
    beam_size: int = 5

    @classmethod
    def of(cls, parameters: Dict[str, Dict[str, str]]) -> "Options":
        """Read the parameters of a model's configuration.

        Raises:
            EngineError: one is missing or malformed; names it.
        """
        values = {name: one["string_value"].strip() for name, one in parameters.items()}
        languages = [code.strip() for code in values.get("languages", "").split(",")]
        if not all(languages):
            raise EngineError("parameter languages: give codes separated by commas")
        return cls(
            path=folder_of(values.get("path", "")),
            languages=languages,
            device=values.get("device", "cpu"),
            compute_type=values.get("compute_type", "int8"),
            threads=_number("threads", values.get("threads", "0"), 0),
            beam_size=_number("beam_size", values.get("beam_size", "5"), 1),
        )


def _number(name: str, text: str, least: int) -> int:
    if not text.isdigit() or int(text) < least:
        raise EngineError(f"parameter {name}: give a number of at least {least}")
    return int(text)


def folder_of(path: str) -> Path:
    """Return the folder that the parameter ``path`` names.

    Raises:
        EngineError: a variable is not set, or there is no such folder.
    """

    def value(match: "re.Match[str]") -> str:
        name = match.group(1)
        if not os.environ.get(name):
            raise EngineError(f"parameter path: the environment variable {name} is not set")
        return os.environ[name]

    folder = Path(_VARIABLE.sub(value, path))
    if not path or not folder.is_absolute():
        raise EngineError("parameter path: give the absolute path of the weights' folder")
    if not folder.is_dir():
        raise EngineError(f"parameter path: there is no folder {folder}")
    return folder


def check_files(folder: Path) -> None:
    """Raise EngineError, with the names, when files of the weights are missing or empty."""
    missing = [name for name in FILES if not _holds_something(folder / name)]
    if not any(_holds_something(folder / name) for name in VOCABULARIES):
        missing.append(" or ".join(VOCABULARIES))
    if missing:
        raise EngineError(f"no Whisper weights in {folder}: without {', '.join(missing)}")


def _holds_something(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0


def check_language(raw: bytes, served: List[str]) -> str:
    """Return the served primary language of a tag such as ``en-US``.

    Raises:
        ClientError: it is malformed or not served.
    """
    code = raw[:64].decode("utf-8", "replace")
    language = re.split("[-_]", code)[0].lower()
    if not _LANGUAGE.fullmatch(code) or language not in served:
        raise ClientError("unsupported_language: " + ",".join(served))
    return language


def check_audio(pcm: Samples) -> None:
    """Raise ClientError unless ``pcm`` ([T] int16, 16 kHz) is within bounds."""
    if pcm.size == 0:
        raise ClientError("empty_audio: AUDIO_PCM holds no samples")
    if pcm.size > MAX_SECONDS * SAMPLE_RATE:
        raise ClientError(f"audio_too_long: at most {MAX_SECONDS} seconds a call")


def check_topk(topk: int) -> int:
    """Return how many hypotheses are wanted (0 means 1); ClientError if out of range."""
    if not 0 <= topk <= MAX_TOPK:
        raise ClientError(f"invalid_parameter: TOPK must be from 0 to {MAX_TOPK}")
    return max(topk, 1)


def words_of(segments: List[Any], duration: float) -> List[Dict[str, Any]]:
    """Turn the engine's words into ours, in order and inside the recording.

    Args:
        segments: each with ``words``: ``word``, ``start``, ``end``, ``probability``.
        duration: of the recording, seconds.
    """
    words: List[Dict[str, Any]] = []
    after = 0.0
    for segment in segments:
        for found in segment.words or ():
            # A byte that begins no character comes as U+FFFD.
            text = "".join(found.word.split()).strip("\ufffd")
            if not text:
                continue
            start = min(max(float(found.start), after), duration)
            after = min(max(float(found.end), start), duration)
            words.append(
                {
                    "word": text,
                    "start": round(start, 3),
                    "end": round(after, 3),
                    "confidence": round(min(max(float(found.probability), 0.0), 1.0), 4),
                }
            )
    return words


class Recognizer:
    """One Whisper model."""

    def __init__(self, options: Options) -> None:
        """Load the weights and recognise a second of noise.

        Raises:
            EngineError: a package is missing, or the weights are no Whisper
                model, broken, or of other languages than configured.
        """
        check_files(options.path)
        try:
            from faster_whisper import WhisperModel  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package faster-whisper is not installed") from error
        self._options = options
        try:
            self._model = WhisperModel(
                str(options.path),
                device=options.device,
                compute_type=options.compute_type,
                cpu_threads=options.threads or len(os.sched_getaffinity(0)),
                local_files_only=True,
            )
            unknown = set(options.languages) - set(self._model.supported_languages)
            noise = np.random.default_rng(1).normal(0.0, 800.0, SAMPLE_RATE).astype(np.int16)
            if not unknown:
                self.transcribe(noise, options.languages[0])
        # The engine raises what its parts raise, down to bare Exception of the tokenizer.
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"[:300]
            raise EngineError(f"the weights in {options.path} do not load: {reason}") from error
        if unknown:
            listed = ", ".join(sorted(unknown))
            raise EngineError(f"parameter languages: the weights do not know {listed}")

    def transcribe(
        self,
        pcm: Samples,
        language: str,
        topk: int = 1,
        cancelled: Optional[Callable[[], bool]] = None,
    ) -> Dict[str, Any]:
        """Recognise ``pcm`` ([T] int16, 16 kHz, mono); the result is JSON-ready.

        Raises:
            ClientError: audio or ``topk`` out of bounds.
            Cancelled: ``cancelled`` said so between two segments.
            EngineError: the engine failed.
        """
        check_audio(pcm)
        topk = check_topk(topk)
        duration = pcm.size / SAMPLE_RATE
        segments = self._segments(pcm, language, cancelled) if pcm.size >= MIN_SAMPLES else []
        words = words_of(segments, duration)
        # Not from the words: some languages write no spaces between them.
        text = " ".join("".join(segment.text for segment in segments).split()).strip("\ufffd")
        confidences = [word["confidence"] for word in words]
        result: Dict[str, Any] = {
            "text": text,
            "words": words,
            "confidence": round(float(np.mean(confidences)), 4) if words else 0.0,
            "duration": round(duration, 4),
        }
        if topk > 1:
            # The engine keeps the best hypothesis only.
            result["nbest"] = [{"text": text, "score": 1.0}]
        return result

    def _segments(
        self, pcm: Samples, language: str, cancelled: Optional[Callable[[], bool]]
    ) -> List[Any]:
        try:
            segments, _ = self._model.transcribe(
                pcm.astype(np.float32) / np.float32(32768),
                language=language,
                beam_size=self._options.beam_size,
                # No fallback to sampling: the same audio gives the same text.
                temperature=0.0,
                word_timestamps=True,
                # A segment is an utterance of its own; text before it may be another's.
                condition_on_previous_text=False,
                vad_filter=False,
            )
            found = []
            for segment in segments:  # Each step recognises up to 30 s.
                if cancelled is not None and cancelled():
                    raise Cancelled
                found.append(segment)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"Whisper failed: {error}") from error
        return found
