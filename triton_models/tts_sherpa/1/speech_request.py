"""What a request for speech may say: text, pace, pitch, voice. No engine and no Triton in here.

The same file lies in tts_piper and in tts_sherpa: a model's folder is complete in itself.
"""

import json
import math
import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

MAX_CHARACTERS = 5_000
MAX_AUDIO_SECONDS = 900
# SPEED is in words a minute, as for the tts model; DEFAULT_SPEED is the voice's own pace.
DEFAULT_SPEED, MIN_SPEED, MAX_SPEED = 140, 80, 450
MIN_PITCH, MAX_PITCH = 0.5, 2.0
GENDERS = ("male", "female")

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,10}){0,3}")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

Audio = NDArray[np.float32]


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


class EngineError(Exception):
    """The engine failed, or its weights cannot be used."""


class Cancelled(Exception):
    """The client has gone."""


def clean_text(raw: bytes) -> str:
    """Decode and bound a text, and take its power to steer a phonemizer away.

    Raises:
        ClientError: not UTF-8, a NUL in it, empty or too long.
    """
    if len(raw) > 4 * MAX_CHARACTERS:
        raise ClientError(f"text_too_long: at most {MAX_CHARACTERS} characters a call")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ClientError("invalid_text: not UTF-8") from error
    if "\0" in text:
        raise ClientError("invalid_text: a NUL character")
    if len(text) > MAX_CHARACTERS:
        raise ClientError(f"text_too_long: at most {MAX_CHARACTERS} characters a call")
    text = "".join(
        " " if c not in "\n\t" and unicodedata.category(c) in {"Cc", "Co", "Cn"} else c
        for c in text
    )
    # [[...]] would be read as phoneme names instead of as text.
    text = re.sub(r"\[(?=\[)", "[ ", text)
    if not text.strip():
        raise ClientError("empty_text: nothing to speak")
    return text


def check_speed(speed: float) -> float:
    """Return the pace as a factor of the voice's own; ClientError if out of range or NaN."""
    if not MIN_SPEED <= speed <= MAX_SPEED:
        raise ClientError(f"invalid_parameter: SPEED must be from {MIN_SPEED} to {MAX_SPEED}")
    return speed / DEFAULT_SPEED


def check_pitch(pitch: float) -> float:
    """Return the factor of the voice's pitch; ClientError if out of range or NaN."""
    if not MIN_PITCH <= pitch <= MAX_PITCH:
        raise ClientError(f"invalid_parameter: PITCH must be from {MIN_PITCH} to {MAX_PITCH}")
    return pitch


def resample(audio: Audio, factor: float) -> Audio:
    """Return ``audio`` ([T] float32) with ``factor`` times its samples, over the same time.

    By the Fourier transform: what the lower rate cannot hold is cut off.
    """
    count = max(round(audio.size * factor), 1)
    if audio.size in {count, 0}:
        return audio
    made = np.fft.irfft(np.fft.rfft(audio), count) * (count / audio.size)
    return made.astype(np.float32)


def finish(pieces: Sequence[Audio]) -> Audio:
    """Join pieces to [T] float32 in [-1, 1]; ClientError when there is no sample.

    Raises:
        EngineError: some are no numbers.
    """
    audio = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    if audio.size == 0:
        raise ClientError("empty_text: nothing that this voice can speak")
    if not math.isfinite(float(np.abs(audio).sum())):
        raise EngineError("the voice made samples that are no numbers")
    return np.clip(audio, -1.0, 1.0).astype(np.float32, copy=False)


def values_of(parameters: Mapping[str, Mapping[str, str]]) -> Dict[str, str]:
    """Return a configuration's parameters as plain texts."""
    return {name: one["string_value"].strip() for name, one in parameters.items()}


def languages_of(text: str) -> List[str]:
    """Read the parameter ``languages``.

    Raises:
        EngineError: it is empty or malformed.
    """
    languages = [code.strip() for code in text.split(",")]
    if not all(_LANGUAGE.fullmatch(code) for code in languages):
        raise EngineError("parameter languages: give codes separated by commas")
    return languages


def number(values: Mapping[str, str], name: str, default: int, least: int) -> int:
    """Return a whole number of the parameters.

    Raises:
        EngineError: it is none, or less than ``least``.
    """
    text = values.get(name) or str(default)
    if not text.isdigit() or int(text) < least:
        raise EngineError(f"parameter {name}: give a number of at least {least}")
    return int(text)


def one_of(values: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    """Return one of ``known`` words, the first when absent.

    Raises:
        EngineError: it is another word.
    """
    text = values.get(name) or known[0]
    if text not in known:
        raise EngineError(f"parameter {name}: give one of {', '.join(known)}")
    return text


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


@dataclass(frozen=True)
class Listed:
    """An entry of the parameter ``voices``.

    Attributes:
        name: What clients ask for.
        language: Code of what it speaks.
        gender: ``male``, ``female``, or empty.
        speaker: What the weights call it.
    """

    name: str
    language: str
    gender: str
    speaker: str


def listed_voices(text: str, *, numbered: bool) -> List[Listed]:
    """Read the parameter ``voices``, a JSON list of objects; empty for none.

    Args:
        text: the parameter.
        numbered: whether weights call their speakers 0, 1, …: without a ``speaker`` an entry
            stands for that of its place; else for the one of its own name.

    Raises:
        EngineError: it is malformed.
    """
    try:
        entries = json.loads(text or "[]")
        voices = [
            Listed(
                str(entry["name"]),
                str(entry["language"]),
                str(entry.get("gender", "")),
                str(entry.get("speaker", place if numbered else entry["name"])),
            )
            for place, entry in enumerate(entries)
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(
            "parameter voices: give a JSON list of objects with name, language and gender"
        ) from error
    return voices


def primary(code: str) -> str:
    """Return the language of a tag such as ``en_US``."""
    return re.split("[-_]", code)[0].lower()


class Voices:
    """Which speaker of the weights a request means."""

    def __init__(
        self, listed: Sequence[Listed], own: Mapping[str, str], languages: Sequence[str]
    ) -> None:
        """Check that the configuration and the weights fit.

        Args:
            listed: the parameter ``voices``.
            own: the speakers by what the weights call them, each with the tag of its
                language, empty where it speaks any.
            languages: the parameter ``languages``.

        Raises:
            EngineError: a speaker is not there, or a language has none.
        """
        self._own = dict(own)
        self._listed = list(listed)
        self.languages = [primary(code) for code in languages]
        for voice in listed:
            if voice.speaker not in own:
                raise EngineError(f"parameter voices: the weights have no speaker {voice.speaker}")
        for language in self.languages:
            if not self._candidates(language, ""):
                raise EngineError(f"parameter languages: no voice speaks {language}")

    def resolve(self, language: bytes, speaker: bytes) -> str:
        """Return what the weights call the wanted speaker.

        Raises:
            ClientError: language or speaker unknown, or they do not fit.
        """
        code = language[:64].decode("utf-8", "replace")
        if not _LANGUAGE.fullmatch(code) or primary(code) not in self.languages:
            raise ClientError("unsupported_language: " + ",".join(self.languages))
        name = speaker[:128].decode("utf-8", "replace")
        if name in GENDERS:
            return self._candidates(code, name)[0]
        for voice in self._listed:
            if voice.name == name and primary(voice.language) == primary(code):
                return voice.speaker
        spoken = self._own.get(name)
        if spoken is None or primary(spoken or code) != primary(code):
            names = [one.name for one in self._listed] or list(self._own)
            raise ClientError("unknown_speaker: use male, female or " + ", ".join(names[:20]))
        return name

    def _candidates(self, code: str, gender: str) -> List[str]:
        """The speakers of a language, those of the gender and the region first."""
        tag = code.replace("_", "-").lower()
        ranked = [
            (voice.gender != gender, voice.language.replace("_", "-").lower() != tag, voice.speaker)
            for voice in self._listed
            if primary(voice.language) == primary(code)
        ]
        ranked = ranked or [
            (False, spoken.replace("_", "-").lower() != tag, name)
            for name, spoken in self._own.items()
            if primary(spoken or code) == primary(code)
        ]
        # Sorting keeps the order of equals: the first one listed is the default.
        return [name for _, _, name in sorted(ranked, key=lambda one: one[:2])]
