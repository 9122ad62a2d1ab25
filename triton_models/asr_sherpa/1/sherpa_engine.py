"""Recognition by sherpa-onnx: trial of the weights, bounds, pieces.

No Triton in here, and sherpa-onnx is imported only when weights are loaded,
so that the pure parts can be tested without either.

sherpa-onnx ends its process when a file's metadata are not what it expects,
so the weights are first tried in a process of their own: this file as a
program, with the options as JSON.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray
from sherpa_weights import EngineError, Options, find_files
from sherpa_words import words_of

SAMPLE_RATE = 16_000
MAX_SECONDS = 600
MAX_TOPK = 10
# Shorter audio holds no word, and some models fail on less than a few frames.
MIN_SAMPLES = 1_600
# Whisper hears 30 s; for the others this bounds memory, and how long a
# cancelled request still runs.
CHUNK_SECONDS = 28
# Exit status of a trial that says itself what is wrong.
_SAID = 3

# What sherpa-onnx puts in front of its messages: file, function and line.
_WHERE = re.compile(r"^/\S+\.(?:cc|h):\w+:\d+ ")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")

Samples = NDArray[np.int16]


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


class Cancelled(Exception):
    """The client has gone."""


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


def chunk_bounds(pcm: Samples, chunk_seconds: float = CHUNK_SECONDS) -> List[Tuple[int, int]]:
    """Cut long audio at the quietest 200 ms of each chunk's second half: [(first, last + 1)]."""
    limit, window = int(chunk_seconds * SAMPLE_RATE), SAMPLE_RATE // 5
    bounds: List[Tuple[int, int]] = []
    first = 0
    while pcm.size - first > limit:
        part = pcm[first + limit // 2 : first + limit].astype(np.float64)
        blocks = part[: part.size // window * window].reshape(-1, window)
        quietest = int(np.argmin(np.square(blocks).sum(axis=1)))
        cut = first + limit // 2 + quietest * window + window // 2
        bounds.append((first, cut))
        first = cut
    bounds.append((first, int(pcm.size)))
    return bounds


def try_weights(options: Options) -> None:
    """Load the weights and recognise noise in a process of its own.

    Raises:
        EngineError: that process failed; with what it said last.
    """
    document = json.dumps({**asdict(options), "path": str(options.path)})
    # Inside Triton, `sys.executable` is not set to an interpreter.
    own = Path(sys.prefix) / "bin" / "python3"
    python = str(own) if own.exists() else shutil.which("python3") or "python3"
    try:
        trial = subprocess.run(
            [python, str(Path(__file__).resolve()), document],
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


class Recognizer:
    """The recognizers of one model: of Whisper one for each language, else one."""

    def __init__(self, options: Options) -> None:
        """Load the weights.

        Raises:
            EngineError: the package or a file is missing, or the weights are
                broken or of another type.
        """
        files = find_files(options)
        try:
            import sherpa_onnx  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package sherpa-onnx is not installed") from error
        kind = sherpa_onnx.OfflineRecognizer
        common = {"num_threads": options.cores, "provider": options.provider}
        self._by_language: Dict[str, Any] = {}
        try:
            if options.type == "whisper":
                for language in options.languages:
                    self._by_language[language] = kind.from_whisper(
                        **files, **common, language=language
                    )
                return
            if options.type == "transducer":
                one = kind.from_transducer(**files, **common)
            elif options.type == "nemo_ctc":
                one = kind.from_nemo_ctc(**files, **common)
            else:
                files["paraformer"] = files.pop("model")
                one = kind.from_paraformer(**files, **common)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"the weights in {options.path} do not load: {error}") from error
        self._by_language = dict.fromkeys(options.languages, one)

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
            Cancelled: ``cancelled`` said so between two chunks.
            EngineError: the engine failed.
        """
        check_audio(pcm)
        topk = check_topk(topk)
        texts: List[str] = []
        words: List[Dict[str, Any]] = []
        whole = True
        for first, last in chunk_bounds(pcm):
            if cancelled is not None and cancelled():
                raise Cancelled
            if last - first < MIN_SAMPLES:
                continue
            found = self._decode(pcm[first:last], language)
            text = " ".join(found.text.split())
            if not text:
                continue
            new = words_of(
                list(found.tokens),
                list(found.timestamps),
                list(found.ys_log_probs),
                text,
                first / SAMPLE_RATE,
                last / SAMPLE_RATE,
            )
            texts.append(text)
            words += new
            whole = whole and bool(new)
        text = " ".join(texts)
        # Words of some pieces only would be taken for all words.
        words = words if whole else []
        confidences = [word["confidence"] for word in words]
        result: Dict[str, Any] = {
            "text": text,
            "words": words,
            "confidence": round(float(np.mean(confidences)), 4) if words else 0.0,
            "duration": round(pcm.size / SAMPLE_RATE, 4),
        }
        if topk > 1:
            # The engine keeps the best hypothesis only.
            result["nbest"] = [{"text": text, "score": 1.0}]
        return result

    def _decode(self, pcm: Samples, language: str) -> Any:
        recognizer = self._by_language[language]
        try:
            stream = recognizer.create_stream()
            stream.accept_waveform(SAMPLE_RATE, pcm.astype(np.float32) / np.float32(32768))
            recognizer.decode_stream(stream)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"sherpa-onnx failed: {error}") from error
        return stream.result


def main(document: str) -> None:
    """Try weights; the process fails, one way or the other, when they are of no use."""
    values = json.loads(document)
    options = Options(**{**values, "path": Path(values["path"])})
    recognizer = Recognizer(options)
    noise = np.random.default_rng(1).normal(0.0, 800.0, 2 * SAMPLE_RATE).astype(np.int16)
    for language in options.languages:
        recognizer.transcribe(noise, language)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_SAID)
