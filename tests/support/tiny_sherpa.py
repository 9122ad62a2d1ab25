"""Writes tiny models of sherpa-onnx's types with random weights, which the engine loads and runs.

Run by the Triton interpreter, which has the engine, and `onnx`:
`.venv-triton/bin/python tests/support/tiny_sherpa.py TYPE FOLDER`
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from tiny_whisper import MELS, WHISPER_LANGUAGES, WIDTH, WORDS, random_weights


class Graph:
    """An ONNX graph in the making."""

    def __init__(self) -> None:
        import onnx  # noqa: PLC0415

        self._onnx = onnx
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def weight(self, name: str, value: Any) -> str:
        self._weights.append(self._onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(self._onnx.helper.make_node(kind, inputs, [output], **attributes))
        return output

    def save(
        self,
        file: Path,
        inputs: dict[str, tuple[type, list[Any]]],
        outputs: dict[str, tuple[type, list[Any]]],
        metadata: dict[str, Any],
    ) -> None:
        helper, types = self._onnx.helper, self._onnx.TensorProto
        kinds = {np.float32: types.FLOAT, np.int64: types.INT64, np.int32: types.INT32}

        def values(given: dict[str, tuple[type, list[Any]]]) -> list[Any]:
            return [
                helper.make_tensor_value_info(name, kinds[kind], shape)
                for name, (kind, shape) in given.items()
            ]

        graph = helper.make_graph(
            self._nodes, "tiny", values(inputs), values(outputs), self._weights
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        helper.set_model_props(model, {name: str(value) for name, value in metadata.items()})
        self._onnx.checker.check_model(model)
        self._onnx.save(model, str(file))


def _tokens(folder: Path, tokens: list[str]) -> int:
    lines = (f"{token} {index}\n" for index, token in enumerate(tokens))
    (folder / "tokens.txt").write_text("".join(lines))
    return len(tokens)


_PIECES = [f"▁{word}" for word in WORDS]


def sherpa_nemo_ctc(folder: Path) -> None:
    """A CTC model of NeMo's form: every fourth frame says a token."""
    size = _tokens(folder, [*_PIECES, "<blk>"])
    graph = Graph()
    graph.weight("w", random_weights(size, MELS, 4) * 20)
    graph.node("Conv", ["audio_signal", "w"], "c", kernel_shape=[4], strides=[4])
    graph.node("Transpose", ["c"], "t", perm=[0, 2, 1])
    graph.node("LogSoftmax", ["t"], "logprobs", axis=-1)
    graph.save(
        folder / "model.onnx",
        {"audio_signal": (np.float32, ["N", MELS, "T"]), "length": (np.int64, ["N"])},
        {"logprobs": (np.float32, ["N", "S", size])},
        {"vocab_size": size - 1, "subsampling_factor": 4, "normalize_type": "per_feature"},
    )


def sherpa_transducer(folder: Path) -> None:
    """A stateless transducer of icefall's form."""
    size = _tokens(folder, ["<blk>", *_PIECES])
    encoder = Graph()
    encoder.weight("w", random_weights(WIDTH, MELS, 4))
    encoder.weight("four", np.array([4], np.int64))
    encoder.node("Transpose", ["x"], "t", perm=[0, 2, 1])
    encoder.node("Conv", ["t", "w"], "c", kernel_shape=[4], strides=[4])
    encoder.node("Transpose", ["c"], "encoder_out", perm=[0, 2, 1])
    encoder.node("Div", ["x_lens", "four"], "encoder_out_lens")
    encoder.save(
        folder / "encoder.onnx",
        {"x": (np.float32, ["N", "T", MELS]), "x_lens": (np.int64, ["N"])},
        {
            "encoder_out": (np.float32, ["N", "S", WIDTH]),
            "encoder_out_lens": (np.int64, ["N"]),
        },
        {"version": 1, "model_type": "zipformer2"},
    )
    decoder = Graph()
    decoder.weight("e", random_weights(size, WIDTH))
    decoder.node("Gather", ["e", "y"], "g", axis=0)
    decoder.node("ReduceMean", ["g"], "decoder_out", axes=[1], keepdims=0)
    decoder.save(
        folder / "decoder.onnx",
        {"y": (np.int64, ["N", 2])},
        {"decoder_out": (np.float32, ["N", WIDTH])},
        {"vocab_size": size, "context_size": 2},
    )
    joiner = Graph()
    joiner.weight("w", random_weights(WIDTH, size) * 5)
    joiner.node("Add", ["encoder_out", "decoder_out"], "s")
    joiner.node("MatMul", ["s", "w"], "logit")
    joiner.save(
        folder / "joiner.onnx",
        {
            "encoder_out": (np.float32, ["N", WIDTH]),
            "decoder_out": (np.float32, ["N", WIDTH]),
        },
        {"logit": (np.float32, ["N", size])},
        {"joiner_dim": WIDTH},
    )


def sherpa_paraformer(folder: Path) -> None:
    """A Paraformer of FunASR's form: a token for each stack of frames."""
    size = _tokens(folder, ["<blank>", "<s>", "</s>", *WORDS, "<unk>"])
    stacked = 7 * MELS
    graph = Graph()
    graph.weight("w", random_weights(stacked, size))
    graph.node("MatMul", ["speech", "w"], "logits")
    graph.node("Identity", ["speech_lengths"], "token_num")
    graph.save(
        folder / "model.onnx",
        {
            "speech": (np.float32, ["N", "T", stacked]),
            "speech_lengths": (np.int32, ["N"]),
        },
        {"logits": (np.float32, ["N", "T", size]), "token_num": (np.int32, ["N"])},
        {
            "vocab_size": size,
            "lfr_window_size": 7,
            "lfr_window_shift": 6,
            "neg_mean": ",".join(["-10"] * stacked),
            "inv_stddev": ",".join(["0.1"] * stacked),
        },
    )


def sherpa_whisper(folder: Path) -> None:
    """A multilingual Whisper of sherpa-onnx's form; what it says follows from the last token."""
    import base64  # noqa: PLC0415

    texts = [f" {word}" for word in WORDS]
    first = len(texts)
    names = ["eot", "sot", *WHISPER_LANGUAGES, "translate", "transcribe", "no_speech", "none"]
    ids = {name: first + index for index, name in enumerate(names)}
    size = first + len(names)
    lines = (f"{base64.b64encode(t.encode()).decode()} {i}\n" for i, t in enumerate(texts))
    (folder / "tokens.txt").write_text("".join(lines))
    context = 448
    encoder = Graph()
    encoder.weight("w", random_weights(WIDTH, MELS, 2))
    encoder.weight("axes", np.array([0], np.int64))
    encoder.node("Conv", ["mel", "w"], "c", kernel_shape=[2], strides=[2])
    encoder.node("Transpose", ["c"], "t", perm=[0, 2, 1])
    encoder.node("Unsqueeze", ["t", "axes"], "n_layer_cross_k")
    encoder.node("Identity", ["n_layer_cross_k"], "n_layer_cross_v")
    cross: tuple[type, list[Any]] = (np.float32, [1, "N", "A", WIDTH])
    encoder.save(
        folder / "encoder.onnx",
        {"mel": (np.float32, ["N", MELS, "T"])},
        {"n_layer_cross_k": cross, "n_layer_cross_v": cross},
        {
            "model_type": "whisper-tiny",
            "n_mels": MELS,
            "n_text_layer": 1,
            "n_text_ctx": context,
            "n_text_state": WIDTH,
            "n_vocab": size,
            "sot": ids["sot"],
            "eot": ids["eot"],
            "blank_id": 0,
            "translate": ids["translate"],
            "transcribe": ids["transcribe"],
            "is_multilingual": 1,
            "no_timestamps": ids["none"],
            "no_speech": ids["no_speech"],
            "sot_sequence": f"{ids['sot']},{ids['en']},{ids['transcribe']}",
            "all_language_tokens": ",".join(str(ids[one]) for one in WHISPER_LANGUAGES),
            "all_language_codes": ",".join(WHISPER_LANGUAGES),
        },
    )
    follows = np.full((size, size), -5.0, np.float32)
    for index in range(size):
        follows[index, index + 1 if index + 1 <= first else 0] = 5.0  # The last word ends it.
    decoder = Graph()
    decoder.weight("f", follows)
    decoder.node("Gather", ["f", "tokens"], "logits", axis=0)
    for kind in "kv":
        decoder.node(
            "Identity", [f"in_n_layer_self_{kind}_cache"], f"out_n_layer_self_{kind}_cache"
        )
    cache: tuple[type, list[Any]] = (np.float32, [1, "N", context, WIDTH])
    decoder.save(
        folder / "decoder.onnx",
        {
            "tokens": (np.int64, ["N", "L"]),
            "in_n_layer_self_k_cache": cache,
            "in_n_layer_self_v_cache": cache,
            "n_layer_cross_k": cross,
            "n_layer_cross_v": cross,
            "offset": (np.int64, [1]),
        },
        {
            "logits": (np.float32, ["N", "L", size]),
            "out_n_layer_self_k_cache": cache,
            "out_n_layer_self_v_cache": cache,
        },
        {},
    )


if __name__ == "__main__":
    target = Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    globals()[sys.argv[1]](target)
