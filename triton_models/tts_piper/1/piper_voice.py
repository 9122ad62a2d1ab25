"""One Piper voice: its configuration, its phonemes' numbers, its network.

No Triton in here, and ONNX Runtime is imported only when weights are loaded.
"""

import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
from speech_request import Audio, EngineError

PAD, BEGIN, END = "_", "^", "$"
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
INPUTS = {"input", "input_lengths", "scales", "sid"}


@dataclass(frozen=True)
class Settings:
    """What the voice's json says.

    Attributes:
        language: Tag, such as ``en_US``.
        espeak: Name of the eSpeak voice that makes the phonemes; empty where letters are
            taken as they are.
        sampling_rate: Hz.
        ids: Numbers of each phoneme.
        scales: Noise, length and noise of the lengths.
        speakers: Numbers by name; empty for a single speaker.
    """

    language: str
    espeak: str
    sampling_rate: int
    ids: Dict[str, List[int]]
    scales: List[float]
    speakers: Dict[str, int]

    @classmethod
    def read(cls, file: Path) -> "Settings":
        """Read ``NAME.onnx.json``.

        Raises:
            EngineError: it is not what Piper writes.
        """
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            espeak = str(content.get("espeak", {}).get("voice", ""))
            kind = content.get("phoneme_type", "espeak")
            inference = content.get("inference", {})
            ids = {
                str(one): [int(i) for i in i_s] for one, i_s in content["phoneme_id_map"].items()
            }
            count = int(content.get("num_speakers", 1))
            named = {str(name): int(i) for name, i in content.get("speaker_id_map", {}).items()}
            settings = cls(
                language=str(content.get("language", {}).get("code") or espeak),
                espeak=espeak if kind == "espeak" else "",
                sampling_rate=int(content["audio"]["sample_rate"]),
                ids=ids,
                scales=[
                    float(inference.get("noise_scale", 0.667)),
                    float(inference.get("length_scale", 1.0)),
                    float(inference.get("noise_w", 0.8)),
                ],
                speakers=named or ({str(i): i for i in range(count)} if count > 1 else {}),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EngineError(f"{file.name} is no configuration of a Piper voice") from error
        if kind not in {"espeak", "text"} or (kind == "espeak" and not espeak):
            raise EngineError(f"{file.name}: no phonemes of the kind {kind!r}")
        if not settings.language or not {PAD, BEGIN, END} <= set(ids):
            raise EngineError(f"{file.name} is no configuration of a Piper voice")
        if not 8_000 <= settings.sampling_rate <= 48_000:  # noqa: PLR2004 - Hz
            raise EngineError(f"{file.name}: no sampling rate of a voice")
        return settings


def numbers_of(phonemes: str, ids: Dict[str, List[int]]) -> List[int]:
    """Return a sentence as numbers, with a pad after each phoneme; empty if none is known."""
    numbers = [*ids[BEGIN], *ids[PAD]]
    known = False
    for one in unicodedata.normalize("NFD", phonemes):
        found = ids.get(one) or ids.get(one.lower())
        if found:
            numbers += [*found, *ids[PAD]]
            known = known or unicodedata.category(one)[0] == "L"
    return [*numbers, *ids[END]] if known else []


class Voice:
    """A voice's network."""

    def __init__(self, file: Path, provider: str, threads: int) -> None:
        """Load ``NAME.onnx`` beside its json, and make a short sound.

        Raises:
            EngineError: the package is missing, or the files are none of a Piper voice.
        """
        import onnxruntime  # noqa: PLC0415 - only where it is used

        self.settings = Settings.read(file.with_name(file.name + ".json"))
        wanted = PROVIDERS[provider]
        if wanted not in onnxruntime.get_available_providers():
            raise EngineError(f"parameter provider: this onnxruntime has no {wanted}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(file), sess_options=options, providers=[wanted]
            )
            self._inputs = {one.name for one in self._session.get_inputs()}
        # ONNX Runtime raises exceptions of its own, which have no common base.
        except Exception as error:
            raise EngineError(f"{file.name} does not load: {error}"[:400]) from error
        if not {"input", "input_lengths", "scales"} <= self._inputs <= INPUTS:
            raise EngineError(f"{file.name} is no Piper voice: its inputs are other ones")
        if ("sid" in self._inputs) != bool(self.settings.speakers):
            raise EngineError(f"{file.name} and its json do not agree about speakers")
        sounds = [i for one, i in self.settings.ids.items() if one not in {PAD, BEGIN, END}]
        if not sounds or self.run([*self.settings.ids[BEGIN], *sounds[0]], 0, 1.0).size == 0:
            raise EngineError(f"{file.name} makes no sound")

    def run(self, numbers: List[int], speaker: int, length: float) -> Audio:
        """Return the sound of a sentence, [T] float32 at the voice's own rate.

        Args:
            numbers: from ``numbers_of``.
            speaker: one of ``Settings.speakers``; 0 for a single speaker.
            length: factor of the time that it takes.

        Raises:
            EngineError: the network failed.
        """
        noise, own_length, noise_w = self.settings.scales
        feeds = {
            "input": np.array([numbers], np.int64),
            "input_lengths": np.array([len(numbers)], np.int64),
            "scales": np.array([noise, own_length * length, noise_w], np.float32),
        }
        if "sid" in self._inputs:
            feeds["sid"] = np.array([speaker], np.int64)
        try:
            (sound,) = self._session.run(None, feeds)[:1]
        except Exception as error:
            raise EngineError(f"ONNX Runtime failed: {error}"[:400]) from error
        audio: Audio = np.asarray(sound, np.float32).reshape(-1)
        return audio
