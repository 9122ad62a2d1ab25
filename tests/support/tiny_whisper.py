"""Writes a tiny Whisper with random weights, which the real engine loads and runs.

Run by the Triton interpreter, which has the engine:
`.venv-triton/bin/python tests/support/tiny_whisper.py FOLDER`
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")
WHISPER_LANGUAGES = ("en", "es", "hi")
WIDTH = 16
MELS = 80


def random_weights(*shape: int) -> Any:
    """Always the same for a shape."""
    return np.random.default_rng(sum(shape)).normal(0.0, 0.1, shape).astype(np.float32)


def _byte_characters() -> list[str]:
    """The 256 characters that stand for bytes in a byte-level vocabulary, as GPT-2 has them."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (byte for byte in range(256) if byte not in plain)
    table = {byte: chr(byte) for byte in plain}
    table.update({byte: chr(256 + index) for index, byte in enumerate(others)})
    return [table[byte] for byte in range(256)]


def ct2_whisper(folder: Path) -> None:
    """A multilingual Whisper of CTranslate2, 0.4 MB, whose words are those of `WORDS`."""
    import ctranslate2.specs as ct2  # noqa: PLC0415 - the interpreter of one kind lacks another's
    import tokenizers  # noqa: PLC0415

    text = [*_byte_characters(), *(f"Ġ{word}" for word in WORDS)]
    specials = [
        "<|endoftext|>",
        "<|startoftranscript|>",
        *(f"<|{language}|>" for language in WHISPER_LANGUAGES),
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
    ]
    times = [f"<|{index * 0.02:.2f}|>" for index in range(1501)]
    # The engine takes a vocabulary with an empty token for one of many languages.
    tokens = [*text, *specials, *times, ""]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.BPE(vocab={token: index for index, token in enumerate(text)}, merges=[])
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens(specials)
    tokenizer.add_special_tokens(times)

    spec = ct2.WhisperSpec(1, 2, 1, 2)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = random_weights(WIDTH, MELS, 3), random_weights(WIDTH)
    encoder.conv2.weight, encoder.conv2.bias = (
        random_weights(WIDTH, WIDTH, 3),
        random_weights(WIDTH),
    )
    encoder.position_encodings.encodings = random_weights(1500, WIDTH)
    decoder.position_encodings.encodings = random_weights(448, WIDTH)
    decoder.embeddings.weight = random_weights(len(tokens), WIDTH)
    decoder.projection.weight = random_weights(len(tokens), WIDTH)
    bias = np.full(len(tokens), -4.0, np.float32)
    bias[256 : 256 + len(WORDS)] = 2.0  # Words rather than bytes,
    bias[len(text)] = 1.0  # and an end now and then.
    decoder.projection.bias = bias
    _norm(encoder.layer_norm)
    _norm(decoder.layer_norm)
    _attention(encoder.layer[0].self_attention)
    _feed_forward(encoder.layer[0].ffn)
    _attention(decoder.layer[0].self_attention)
    _attention(decoder.layer[0].attention, crossed=True)
    _feed_forward(decoder.layer[0].ffn)
    spec.register_vocabulary(tokens)
    first = tokens.index(f"<|{WHISPER_LANGUAGES[0]}|>")
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = list(range(first, first + len(WHISPER_LANGUAGES)))
    spec.config.alignment_heads = [[0, 0], [0, 1]]
    spec.validate()
    spec.optimize(quantization="float32")
    spec.save(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"))


def _norm(spec: Any) -> None:
    spec.gamma, spec.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)


def _linear(spec: Any, outputs: int, inputs: int) -> None:
    spec.weight, spec.bias = random_weights(outputs, inputs), np.zeros(outputs, np.float32)


def _attention(spec: Any, *, crossed: bool = False) -> None:
    _norm(spec.layer_norm)
    # Queries, keys and values; the latter two by themselves where they come from elsewhere.
    sizes = (WIDTH, 2 * WIDTH, WIDTH) if crossed else (3 * WIDTH, WIDTH)
    for linear, size in zip(spec.linear, sizes, strict=True):
        _linear(linear, size, WIDTH)


def _feed_forward(spec: Any) -> None:
    _norm(spec.layer_norm)
    _linear(spec.linear_0, 4 * WIDTH, WIDTH)
    _linear(spec.linear_1, WIDTH, 4 * WIDTH)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    ct2_whisper(target)
