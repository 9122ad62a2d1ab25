"""Writes tiny voices, which the real engines load and run: a tone for each phoneme.

Phoneme number i sounds as `BASE_HZ + i * STEP_HZ`, for `SAMPLES` samples at the voice's own pace;
the second speaker is half as loud. Run by the Triton interpreter, which has `onnx`:
`.venv-triton/bin/python tests/support/tiny_voices.py FOLDER KIND …`
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

RATE, KOKORO_RATE = 16_000, 24_000
SAMPLES = 400
BASE_HZ, STEP_HZ = 300.0, 40.0
SYMBOLS = '_^$ ,.;:?!"abcdefhijklmnopqrstuvwxyzæðŋɐɑɔəɚɛɜɡɪɹɾʃʊʌʒˈˌːθ\u0303'  # noqa: RUF001 - IPA
STYLE = 8


def _graph() -> Any:
    """An ONNX graph in the making."""
    from tiny_sherpa import Graph  # noqa: PLC0415 - the interpreter of the tests has no onnx

    return Graph()


def _tones(graph: Any, rate: int, *, length: str, speaker: str | None, output: str) -> None:
    """Tones for the numbers in `ids` [1, N], each `length` times as long, as `sound` [T].

    Args:
        graph: To add to; has an input `ids`.
        rate: Hz.
        length: Name of a tensor [1].
        speaker: Name of a tensor [1] of int64; None for one speaker.
        output: Name of the result, [1, 1, T].
    """
    for name, value in {
        "zero": np.float32(0),
        "one": np.float32(1),
        "samples": np.array([SAMPLES], np.float32),
        "flat": np.array([-1], np.int64),
        "axis": np.array(0, np.int64),
        "whole": np.array([1, 1, -1], np.int64),
        "step": np.float32(STEP_HZ * math.tau / rate),
        "base": np.float32(BASE_HZ * math.tau / rate),
        "half": np.array([0.5], np.float32),
        "units": np.array([1.0], np.float32),
        "scalar": np.array([], np.int64),
    }.items():
        graph.weight(name, value)
    graph.node("Reshape", ["ids", "flat"], "row")
    graph.node("Shape", ["row"], "count")
    graph.node("Cast", ["count"], "count_f", to=1)
    graph.node("Mul", ["samples", length], "each")
    graph.node("Mul", ["count_f", "each"], "total_f")
    graph.node("Reshape", ["total_f", "scalar"], "total")
    graph.node("Range", ["zero", "total", "one"], "times")
    graph.node("Div", ["times", "each"], "places_f")
    graph.node("Cast", ["places_f"], "places", to=7)
    graph.node("Gather", ["row", "places"], "numbers")
    graph.node("Cast", ["numbers"], "numbers_f", to=1)
    graph.node("Mul", ["numbers_f", "step"], "above")
    graph.node("Add", ["above", "base"], "turn")
    graph.node("CumSum", ["turn", "axis"], "phase")
    graph.node("Sin", ["phase"], "tone")
    loudness = "half"
    if speaker is not None:
        graph.node("Cast", [speaker], "speaker_f", to=1)
        graph.node("Add", ["speaker_f", "units"], "quieter")
        loudness = graph.node("Div", ["half", "quieter"], "loudness")
    graph.node("Mul", ["tone", loudness], "sound")
    graph.node("Reshape", ["sound", "whole"], output)


def _vits(file: Path, metadata: dict[str, Any], *, speakers: int) -> None:
    graph = _graph()
    graph.weight("second", np.array([1], np.int64))
    graph.node("Identity", ["input"], "ids")
    graph.node("Gather", ["scales", "second"], "length")
    speaker = "sid" if speakers > 1 else None
    _tones(graph, RATE, length="length", speaker=speaker, output="output")
    inputs: dict[str, tuple[type, list[Any]]] = {
        "input": (np.int64, [1, "N"]),
        "input_lengths": (np.int64, [1]),
        "scales": (np.float32, [3]),
    }
    if speakers > 1:
        inputs["sid"] = (np.int64, [1])
    graph.save(file, inputs, {"output": (np.float32, [1, 1, "T"])}, metadata)


def piper(folder: Path) -> None:
    """Two Piper voices: English with two speakers, and one that reads Spanish letters."""
    for name, language, kind, speakers in (
        ("en_US-tiny-low", "en_US", "espeak", {"anna": 0, "bert": 1}),
        ("es_ES-tiny-low", "es_ES", "text", {}),
    ):
        _vits(folder / f"{name}.onnx", {}, speakers=max(len(speakers), 1))
        content = {
            "audio": {"sample_rate": RATE, "quality": "low"},
            "espeak": {"voice": language.lower().replace("_", "-") if kind == "espeak" else "es"},
            "language": {"code": language, "family": language[:2]},
            "inference": {"noise_scale": 0.6, "length_scale": 1.0, "noise_w": 0.8},
            "phoneme_type": kind,
            "phoneme_id_map": {one: [number] for number, one in enumerate(SYMBOLS)},
            "num_symbols": len(SYMBOLS),
            "num_speakers": max(len(speakers), 1),
            "speaker_id_map": speakers,
        }
        (folder / f"{name}.onnx.json").write_text(json.dumps(content))


def _tokens(folder: Path) -> None:
    lines = (f"{one} {number}\n" for number, one in enumerate(SYMBOLS))
    (folder / "tokens.txt").write_text("".join(lines))


def sherpa_vits(folder: Path) -> None:
    """A VITS of Piper's form, two speakers."""
    _tokens(folder)
    metadata = {"comment": "piper", "language": "English", "voice": "en-us", "has_espeak": 1}
    metadata |= {"sample_rate": RATE, "n_speakers": 2, "add_blank": 1, "model_type": "vits"}
    _vits(folder / "model.onnx", metadata, speakers=2)


def sherpa_lexicon(folder: Path) -> None:
    """A VITS that takes words from a lexicon."""
    _tokens(folder)
    (folder / "lexicon.txt").write_text("one w ʌ n\ntwo t u\n")
    metadata = {"comment": "icefall", "language": "English", "punctuation": ", ."}
    metadata |= {"sample_rate": RATE, "n_speakers": 0, "add_blank": 0, "model_type": "vits"}
    graph = _graph()
    graph.node("Identity", ["x"], "ids")
    _tones(graph, RATE, length="length_scale", speaker=None, output="y")
    scales = ("noise_scale", "length_scale", "noise_scale_w")
    graph.save(
        folder / "model.onnx",
        {
            "x": (np.int64, [1, "N"]),
            "x_length": (np.int64, [1]),
            **dict.fromkeys(scales, (np.float32, [1])),
        },
        {"y": (np.float32, [1, 1, "T"])},
        metadata,
    )


def sherpa_short(folder: Path) -> None:
    """A Kokoro that ends its process over a sentence of more than 64 phonemes."""
    sherpa_kokoro(folder, 64)


def sherpa_kokoro(folder: Path, lengths: int = 510) -> None:
    """A Kokoro of two speakers; the style's first value is the speaker's number."""
    _tokens(folder)
    styles = np.zeros((2, lengths, 1, STYLE), np.float32)
    styles[1] = 1.0
    (folder / "voices.bin").write_bytes(styles.tobytes())
    graph = _graph()
    graph.weight("begin", np.array([0], np.int64))
    graph.weight("end", np.array([1], np.int64))
    graph.weight("axes", np.array([1], np.int64))
    graph.node("Identity", ["tokens"], "ids")
    graph.node("Reciprocal", ["speed"], "length")
    graph.node("Slice", ["style", "begin", "end", "axes"], "first")
    graph.weight("flat_1", np.array([-1], np.int64))
    graph.node("Reshape", ["first", "flat_1"], "named")
    _tones(graph, KOKORO_RATE, length="length", speaker="named", output="y")
    graph.weight("flat_2", np.array([-1], np.int64))
    graph.node("Reshape", ["y", "flat_2"], "audio")
    metadata: dict[str, Any] = {"model_type": "kokoro", "language": "English", "voice": "en-us"}
    metadata |= {"sample_rate": KOKORO_RATE, "version": 1, "n_speakers": 2, "has_espeak": 1}
    metadata |= {"style_dim": f"{lengths},1,{STYLE}", "speaker_names": "anna,bert"}
    graph.save(
        folder / "model.onnx",
        {
            "tokens": (np.int64, [1, "N"]),
            "style": (np.float32, [1, STYLE]),
            "speed": (np.float32, [1]),
        },
        {"audio": (np.float32, ["T"])},
        metadata,
    )


def sherpa_matcha(folder: Path) -> None:
    """A Matcha whose spectrum is the sound already, and a vocoder that passes it on."""
    _tokens(folder)
    graph = _graph()
    graph.node("Identity", ["x"], "ids")
    _tones(graph, RATE, length="length_scale", speaker=None, output="mel")
    metadata: dict[str, Any] = {"model_type": "matcha-tts", "language": "English"}
    metadata |= {"voice": "en-us", "has_espeak": 1, "n_speakers": 1, "jieba": 0}
    metadata |= {"sample_rate": RATE, "use_eos_bos": 1, "pad_id": 0, "num_ode_steps": 3}
    graph.save(
        folder / "model-steps-3.onnx",
        {
            "x": (np.int64, [1, "N"]),
            "x_length": (np.int64, [1]),
            "noise_scale": (np.float32, [1]),
            "length_scale": (np.float32, [1]),
        },
        {"mel": (np.float32, [1, 1, "T"])},
        metadata,
    )
    vocoder = _graph()
    vocoder.weight("two", np.array([1, -1], np.int64))
    vocoder.node("Reshape", ["mel", "two"], "audio")
    vocoder.save(
        folder / "hifigan_v2.onnx",
        {"mel": (np.float32, [1, 1, "T"])},
        {"audio": (np.float32, [1, "T"])},
        {"model_type": "hifigan", "sample_rate": RATE},
    )


if __name__ == "__main__":
    for wanted in sys.argv[2:]:
        target = Path(sys.argv[1]) / wanted
        target.mkdir(parents=True, exist_ok=True)
        globals()[wanted](target)
