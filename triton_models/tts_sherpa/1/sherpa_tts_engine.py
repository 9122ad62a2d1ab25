"""Speech by sherpa-onnx: trial of the weights, phonemes, sound.

No Triton in here, and sherpa-onnx is imported only when weights are loaded.

sherpa-onnx ends its process when a file's metadata are not what it expects, so the weights are
first tried in a process of their own: this file as a program, with the options as JSON.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
from espeak_phonemes import MAX_SENTENCE, Phonemizer, clauses_of, sentences_of
from sherpa_tts_weights import Options, find_files
from speech_request import (
    MAX_AUDIO_SECONDS,
    Audio,
    Cancelled,
    ClientError,
    EngineError,
    Voices,
    finish,
    primary,
    resample,
)

# A letter of a lexicon's text may become several phonemes.
MAX_WRITTEN = 100
# Exit status of a trial that says itself what is wrong.
_SAID = 3
# What sherpa-onnx puts in front of its messages: file, function and line.
_WHERE = re.compile(r"^/\S+\.(?:cc|h):\w+:\d+ ")
# eSpeak's voice for a language, where it has another name.
_ESPEAK_VOICES = {"en": "en-us", "zh": "cmn", "fr": "fr-fr", "no": "nb"}


def try_weights(options: Options) -> None:
    """Load the weights and speak in a process of its own.

    Raises:
        EngineError: that process failed; with what it said last.
    """
    # Inside Triton, `sys.executable` is not set to an interpreter.
    own = Path(sys.prefix) / "bin" / "python3"
    python = str(own) if own.exists() else shutil.which("python3") or "python3"
    try:
        trial = subprocess.run(
            [python, str(Path(__file__).resolve()), json.dumps(options.write())],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=options.load_timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        seconds = options.load_timeout_s
        raise EngineError(f"the weights in {options.path} did not load in {seconds} s") from error
    if trial.returncode:
        said = [line.strip() for line in trial.stderr.splitlines() if line.strip()]
        reason = _WHERE.sub("", said[-1]) if said else f"it ended with {trial.returncode}"
        if trial.returncode == _SAID:
            raise EngineError(reason[-500:])
        reason = reason[-300:]
        raise EngineError(f"the weights in {options.path} do not load as {options.type}: {reason}")


def make_config(sherpa_onnx: Any, options: Options, files: Dict[str, str]) -> Any:
    """Return sherpa-onnx's configuration of the weights."""
    rules = files.pop("rule_fsts")
    if options.type == "vits":
        part = {"vits": sherpa_onnx.OfflineTtsVitsModelConfig(**files)}
    elif options.type == "kokoro":
        part = {"kokoro": sherpa_onnx.OfflineTtsKokoroModelConfig(**files, data_dir="")}
    else:
        part = {"matcha": sherpa_onnx.OfflineTtsMatchaModelConfig(**files)}
    model = sherpa_onnx.OfflineTtsModelConfig(
        **part, num_threads=options.cores, provider=options.provider
    )
    return sherpa_onnx.OfflineTtsConfig(model=model, rule_fsts=rules)


class Synthesizer:
    """The weights of one folder."""

    def __init__(self, options: Options) -> None:
        """Load them.

        Raises:
            EngineError: a program, the package or a file is missing, or the weights are broken
                or of another type.
        """
        files = find_files(options)
        try:
            import sherpa_onnx  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package sherpa-onnx is not installed") from error
        self._options = options
        self._generation = sherpa_onnx.GenerationConfig
        try:
            self._tts: Any = sherpa_onnx.OfflineTts(make_config(sherpa_onnx, options, files))
        except (RuntimeError, ValueError, TypeError) as error:
            raise EngineError(f"the weights in {options.path} do not load: {error}") from error
        self._phonemizer = None if options.reads_text else Phonemizer(options.timeout)
        count = max(int(self._tts.num_speakers), 1)
        self.voices = Voices(
            options.voices, {str(one): "" for one in range(count)}, options.languages
        )

    def speak(
        self,
        text: str,
        language: str,
        speaker: str,
        speed: float,
        pitch: float,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Audio:
        """Return [T] float32 at ``Options.sampling_rate`` in [-1, 1].

        Args:
            text: from ``clean_text``.
            language: tag of its language.
            speaker: from ``Voices.resolve``.
            speed: factor of the voice's own pace.
            pitch: factor of its own pitch; the sound is made slower, then played faster.
            cancelled: asked before each sentence.

        Raises:
            ClientError: nothing in the text can be spoken, or too much.
            EngineError: the engine failed.
            Cancelled: the client has gone.
        """
        wanted = self._generation()
        wanted.sid = int(speaker)
        wanted.speed = speed / pitch
        factor = self._options.sampling_rate / int(self._tts.sample_rate) / pitch
        pieces: List[Audio] = []
        left = MAX_AUDIO_SECONDS * self._options.sampling_rate
        for sentence in self._sentences(text, language):
            if cancelled():
                raise Cancelled
            made = self._generate(sentence, wanted)
            if made.size:
                pieces.append(resample(made, factor))
                left -= pieces[-1].size
            if left < 0:
                raise ClientError(f"text_too_long: over {MAX_AUDIO_SECONDS} seconds of speech")
        return finish(pieces)

    def _sentences(self, text: str, language: str) -> List[str]:
        if self._phonemizer is not None:
            return self._phonemizer.sentences(text, self._espeak_voice(language))
        clauses = clauses_of(text)
        return sentences_of(clauses, [clause.text for clause in clauses], MAX_WRITTEN)

    def _generate(self, sentence: str, wanted: Any) -> Audio:
        made: List[Audio] = []

        def keep(samples: Any, _progress: float) -> int:
            made.append(np.array(samples, np.float32))
            return 1  # Go on.

        if self._phonemizer is not None:
            wanted.phoneme_codepoints = [[ord(one) for one in sentence]]
            sentence = ""
        try:
            # The result holds a list of numbers; what is called back, an array.
            self._tts.generate(sentence, wanted, keep)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"sherpa-onnx failed: {error}"[:400]) from error
        return np.concatenate(made) if made else np.zeros(0, np.float32)

    def _espeak_voice(self, language: str) -> str:
        """The one of the configuration, else of the weights, else of the language."""
        if self._options.espeak_voice:
            return self._options.espeak_voice
        named = str(getattr(self._tts, "lang", "") or "")
        code = primary(language)
        if named and primary(named) == code:
            return named
        return _ESPEAK_VOICES.get(code, code)


def main(document: str) -> None:
    """Try weights; the process fails, one way or the other, when they are of no use.

    They have to bear the longest sentence, too: some end their process over it.
    """
    options = Options.read(json.loads(document))
    synthesizer = Synthesizer(options)
    word = sample_of(options)
    longest = MAX_WRITTEN if options.reads_text else MAX_SENTENCE
    text = f"{word or 'a'} " * (longest // (len(word or "a") + 1))
    for language in options.languages:
        speaker = synthesizer.voices.resolve(language.encode(), b"female")
        try:
            synthesizer.speak(text, language, speaker, 1.0, 1.0)
        except ClientError as error:
            # Letters may be of another alphabet.
            if word or not options.reads_text:
                raise EngineError(f"the weights in {options.path} speak nothing") from error


def sample_of(options: Options) -> str:
    """The first word of the lexicon; empty without one."""
    for file in sorted(options.path.glob("lexicon*.txt")) if options.reads_text else []:
        with file.open(encoding="utf-8", errors="replace") as lines:
            words = next(lines, "").split()
        if words:
            return words[0]
    return ""


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_SAID)
