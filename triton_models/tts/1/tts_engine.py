"""eSpeak NG as a separate process: voices, text made harmless, audio bounds.

eSpeak NG is GPL: it is only ever run as a program, never linked. The text goes
through its standard input, so it cannot be taken for an option or a file; the
markup option is never given, because SSML's audio element opens local files.
"""

import math
import os
import re
import select
import shutil
import subprocess
import time
import unicodedata
from typing import Callable, Dict, List, Set

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 22_050
MAX_CHARACTERS = 5_000
MAX_AUDIO_SECONDS = 900
# Of the variants at 140 words a minute these are read back best by the asr
# model over seven sentences (word error rate f5 0.47, m6 0.40, others to 0.83).
DEFAULT_SPEED, MIN_SPEED, MAX_SPEED = 140, 80, 450
MIN_PITCH, MAX_PITCH = 0.5, 2.0
VARIANTS = {"female": "f5", "male": "m6"}
# eSpeak's name for what a plain ISO 639 code asks for, where it has another.
VOICE_OF = {"en": "en-us", "zh": "cmn", "fr": "fr-fr", "no": "nb"}
# eSpeak's option -p: 50 steps are an octave, 50 is the voice's own pitch, 99 the highest.
PITCH_STEPS, MOST_PITCH = 50, 99
# A WAVE header as eSpeak writes it to a pipe: its size fields are meaningless.
HEADER_BYTES = 44

Pcm = NDArray[np.int16]

_SPEAKER = re.compile(r"([a-z]{2,3}(?:-[A-Za-z0-9]{1,10}){0,3})\+([A-Za-z0-9_-]{1,32})")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,10}){0,3}")


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


class EngineError(Exception):
    """The engine failed; another try may work."""


class Cancelled(Exception):
    """The client has gone."""


def clean_text(raw: bytes) -> str:
    """Decode and bound a text, and take its power to steer eSpeak away.

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
    # Control characters are eSpeak's embedded commands (U+0001 sets pitch,
    # voice, sound icons), private-use ones its internal marks.
    text = "".join(
        " " if c not in "\n\t" and unicodedata.category(c) in {"Cc", "Co", "Cn"} else c
        for c in text
    )
    # [[...]] would be read as phoneme names instead of as text.
    text = re.sub(r"\[(?=\[)", "[ ", text)
    if not text.strip():
        raise ClientError("empty_text: nothing to speak")
    return text


def check_speed(speed: float) -> int:
    """Return words a minute for the engine; ClientError if out of range or NaN."""
    if not MIN_SPEED <= speed <= MAX_SPEED:
        raise ClientError(f"invalid_parameter: SPEED must be from {MIN_SPEED} to {MAX_SPEED}")
    return round(speed)


def check_pitch(pitch: float) -> int:
    """Return eSpeak's step for a factor of the voice's pitch.

    Raises:
        ClientError: out of range or NaN.
    """
    if not MIN_PITCH <= pitch <= MAX_PITCH:
        raise ClientError(f"invalid_parameter: PITCH must be from {MIN_PITCH} to {MAX_PITCH}")
    return min(round(PITCH_STEPS * (1 + math.log2(pitch))), MOST_PITCH)


def as_float(pcm: Pcm) -> NDArray[np.float32]:
    """Return ``pcm`` ([T] int16) as [T] float32 in [-1, 1)."""
    audio: NDArray[np.float32] = np.multiply(pcm, np.float32(1 / 32768), dtype=np.float32)
    return audio


def parse_voices(table: str) -> Dict[str, Set[str]]:
    """Read ``espeak-ng --voices``: {column "Language": {column "File"}}.

    Voices of mbrola need another program and its data, and are left out.
    """
    voices: Dict[str, Set[str]] = {}
    for line in table.splitlines()[1:]:
        # Priority, language, age/gender, name, file.
        _, language, _, _, file = (line.split(None, 4) + [""] * 5)[:5]
        if file and not file.startswith("mb/"):
            voices.setdefault(language, set()).add(file.split()[0])
    return voices


class Voices:
    """Which voice names may be put on eSpeak's command line."""

    def __init__(self, names: Set[str], variants: Set[str], languages: List[str]) -> None:
        """Keep the configured languages that have a voice.

        Args:
            names: eSpeak's language codes, such as ``en-us``.
            variants: such as ``f5``.
            languages: ISO 639 codes that may be served.

        Raises:
            EngineError: none is left.
        """
        self._names = names
        self._variants = variants
        self.languages = [code for code in languages if VOICE_OF.get(code, code) in names]
        if not self.languages:
            raise EngineError("espeak-ng has none of the configured voices")

    def resolve(self, language: bytes, speaker: bytes) -> str:
        """Return the name for ``-v``, made of listed parts only.

        Raises:
            ClientError: language or speaker unknown, or they do not fit.
        """
        code = language[:64].decode("utf-8", "replace")
        primary = re.split("[-_]", code)[0].lower()
        if not _LANGUAGE.fullmatch(code) or primary not in self.languages:
            raise ClientError("unsupported_language: " + ",".join(self.languages))
        name = speaker[:64].decode("utf-8", "replace")
        base, variant = self._regional(code, primary), VARIANTS.get(name)
        if variant is None:
            base, variant = self._own_voice(name, primary)
        # A build without this variant still speaks, with its plain voice.
        return f"{base}+{variant}" if variant in self._variants else base

    def _regional(self, code: str, primary: str) -> str:
        """Return the region's own voice where there is one: ``en-GB``, ``pt_BR``."""
        exact = code.replace("_", "-").lower()
        return exact if exact in self._names else VOICE_OF.get(primary, primary)

    def _own_voice(self, name: str, primary: str) -> "tuple[str, str]":
        match = _SPEAKER.fullmatch(name)
        if match is None or match[1] not in self._names or match[2] not in self._variants:
            raise ClientError("unknown_speaker: use male, female or voice+variant (en-us+f5)")
        if match[1].split("-")[0] != VOICE_OF.get(primary, primary).split("-")[0]:
            raise ClientError("unknown_speaker: that voice does not speak INPUT_LANGUAGE_ID")
        return match[1], match[2]


class Synthesizer:
    """Runs one eSpeak NG process for every call."""

    def __init__(self, languages: List[str], timeout: float) -> None:
        """Find the program and list its voices.

        Raises:
            EngineError: it is not installed or does not run.
        """
        program = shutil.which("espeak-ng")
        if program is None:
            raise EngineError("espeak-ng is not installed (apt package espeak-ng)")
        self._program = program
        self._timeout = timeout
        voices = parse_voices(self._list("--voices"))
        variants = parse_voices(self._list("--voices=variant")).get("variant", set())
        names = {name.removeprefix("!v/") for name in variants}
        self.voices = Voices(set(voices), names, languages)

    def _list(self, option: str) -> str:
        try:
            done = subprocess.run(
                [self._program, option], capture_output=True, timeout=self._timeout, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EngineError("espeak-ng does not run (apt package espeak-ng)") from error
        return done.stdout.decode("utf-8", "replace")

    def speak(
        self,
        text: str,
        voice: str,
        speed: int,
        pitch: int = PITCH_STEPS,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Pcm:
        """Return [T] int16 at 22,050 Hz.

        Args:
            text: from ``clean_text``.
            voice: from ``Voices.resolve``.
            speed: from ``check_speed``.
            pitch: from ``check_pitch``.
            cancelled: asked while the program runs.

        Raises:
            ClientError: nothing in the text can be spoken, or too much.
            EngineError: the program failed or did not end in time.
            Cancelled: the client has gone.
        """
        command = [self._program, "-b", "1", "--stdin", "--stdout", "-v", voice]
        command += ["-s", str(speed), "-p", str(pitch)]
        wave = self._run(command, text.encode("utf-8"), cancelled)
        if wave and (len(wave) < HEADER_BYTES or wave[:4] != b"RIFF"):
            raise EngineError("espeak-ng wrote no WAVE data")
        rate = int.from_bytes(wave[24:28], "little") if wave else SAMPLE_RATE
        if rate != SAMPLE_RATE:
            raise EngineError(f"espeak-ng speaks at {rate} Hz with this voice")
        whole = len(wave) // 2 * 2
        pcm: Pcm = np.frombuffer(wave[HEADER_BYTES:whole], dtype="<i2")
        if pcm.size == 0:
            raise ClientError("empty_text: nothing to speak")
        return pcm

    def _run(self, command: List[str], text: bytes, cancelled: Callable[[], bool]) -> bytes:
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        except OSError as error:
            raise EngineError("espeak-ng does not start") from error
        try:
            wave = self._exchange(child, text, cancelled)
            # End of output: it is exiting; the rest of the allowance is not needed.
            status = child.wait(timeout=2)
        except subprocess.TimeoutExpired as error:
            raise EngineError("espeak-ng did not end in time") from error
        finally:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()
        if status != 0:
            raise EngineError("espeak-ng failed")
        return wave

    def _exchange(
        self, child: "subprocess.Popen[bytes]", text: bytes, cancelled: Callable[[], bool]
    ) -> bytes:
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018
        deadline = time.monotonic() + self._timeout
        limit = HEADER_BYTES + MAX_AUDIO_SECONDS * SAMPLE_RATE * 2
        try:
            # At most 20 kB: fits the pipe, so this cannot block.
            child.stdin.write(text)
            child.stdin.close()
        except BrokenPipeError as error:
            raise EngineError("espeak-ng stopped before it read the text") from error
        wave = bytearray()
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise EngineError("espeak-ng did not end in time")
            if cancelled():
                raise Cancelled
            if not select.select([child.stdout], [], [], min(left, 0.1))[0]:
                continue
            data = os.read(child.stdout.fileno(), 1 << 20)
            if not data:
                return bytes(wave)
            wave += data
            if len(wave) > limit:
                raise ClientError(f"text_too_long: over {MAX_AUDIO_SECONDS} seconds of speech")
