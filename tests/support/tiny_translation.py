"""Writes tiny translation models, which CTranslate2 loads and runs; no training is needed.

What one says follows from its last word and from the words of the source: a word for a house in the
wanted language, then the number that the source has. Run by the Triton interpreter, which has the
engine: `.venv-triton/bin/python tests/support/tiny_translation.py FOLDER KIND …`
"""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np

SPECIALS = ["<unk>", "<s>", "</s>"]
NUMBERS = [f"▁{number}" for number in range(10)]
# The word for a house by the tag of its language.
HOUSES = {"eng_Latn": "▁house", "spa_Latn": "▁casa", "hin_Deva": "▁घर", "tam_Taml": "▁घर"}
START = "<s>"


def _zeros(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


def _follows(
    tokens: list[str], tags: dict[str, str], starts: list[str]
) -> tuple[list[tuple[str, str, float]], list[tuple[str, str, float]]]:
    """What follows which last token, and which token of the source speaks for it."""
    after: list[tuple[str, str, float]] = []
    for tag, word in tags.items():
        after += [(tag, word, 9.0)]
    for word in {*tags.values()}:
        after += [(word, number, 4.0) for number in NUMBERS]
        after += [(start, word, 4.0) for start in starts]
        after += [(word, "</s>", 3.0)]
    after += [(number, "</s>", 9.0) for number in NUMBERS]
    spoken = [(number, number, 6.0) for number in NUMBERS]
    spoken += [(tag, word, 6.0) for tag, word in tags.items() if tag in tokens]
    spoken += [(f">>{tag[:3]}<<", word, 6.0) for tag, word in tags.items()]
    known = set(tokens)
    return (
        [entry for entry in after if {*entry[:2]} <= known],
        [entry for entry in spoken if {*entry[:2]} <= known],
    )


def write(folder: Path, tokens: list[str], tags: dict[str, str], starts: list[str]) -> None:
    """A transformer of one layer over a shared vocabulary.

    An embedding is a place of its own in the first half of the width. The encoder passes it on; the
    decoder looks at all of the source alike, and sees it in the second half.
    """
    import ctranslate2.specs as ct2  # noqa: PLC0415 - the interpreter of one kind lacks another's

    # Widths are multiples of what the engine computes at once.
    size = -(-len(tokens) // 16) * 16
    width = 2 * size
    embedding = _zeros(len(tokens), width)
    embedding[range(len(tokens)), range(len(tokens))] = 1.0
    spec = ct2.TransformerSpec.from_config(1, 2)
    for side in (spec.encoder, spec.decoder):
        side.position_encodings.encodings = _zeros(512, width)
        side.layer_norm.gamma, side.layer_norm.beta = np.ones(width, np.float32), _zeros(width)
        _silent(side.layer[0].self_attention, width, crossed=False)
        ffn = side.layer[0].ffn
        _norm(ffn.layer_norm, width)
        ffn.linear_0.weight, ffn.linear_0.bias = _zeros(16, width), _zeros(16)
        ffn.linear_1.weight, ffn.linear_1.bias = _zeros(width, 16), _zeros(width)
    spec.encoder.embeddings[0].weight = embedding
    spec.decoder.embeddings.weight = embedding
    crossed = spec.decoder.layer[0].attention
    _silent(crossed, width, crossed=True)
    crossed.linear[1].weight[width + size : 2 * width, :size] = np.eye(size, dtype=np.float32)
    crossed.linear[2].weight = np.eye(width, dtype=np.float32)
    place = {token: number for number, token in enumerate(tokens)}
    projection = _zeros(len(tokens), width)
    after, spoken = _follows(tokens, tags, starts)
    for last, following, weight in after:
        projection[place[following], place[last]] = weight
    for seen, following, weight in spoken:
        projection[place[following], size + place[seen]] = weight
    spec.decoder.projection.weight = projection
    spec.decoder.projection.bias = _zeros(len(tokens))
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.validate()
    spec.optimize(quantization="float32")
    spec.save(str(folder))


def _norm(spec: Any, width: int) -> None:
    spec.gamma, spec.beta = np.ones(width, np.float32), _zeros(width)


def _silent(spec: Any, width: int, *, crossed: bool) -> None:
    """Attention that adds nothing."""
    _norm(spec.layer_norm, width)
    for linear, outputs in zip(
        spec.linear, (width, 2 * width, width) if crossed else (3 * width, width), strict=True
    ):
        linear.weight, linear.bias = _zeros(outputs, width), _zeros(outputs)


def _pieces(file: Path, words: list[str]) -> list[str]:
    """A model of sentencepiece that knows whole words; its vocabulary."""
    import sentencepiece  # noqa: PLC0415

    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(words)] * 3),
        model_writer=content,
        model_type="word",
        vocab_size=len(words) + len(SPECIALS),
        minloglevel=2,
    )
    file.write_bytes(content.getvalue())
    model = sentencepiece.SentencePieceProcessor(model_proto=content.getvalue())
    return [model.id_to_piece(one) for one in range(len(SPECIALS), model.get_piece_size())]


WORDS = [*map(str, range(10)), "house", "casa", "घर", "the", "."]


def nllb(folder: Path) -> None:
    """NLLB's form."""
    pieces = _pieces(folder / "sentencepiece.bpe.model", WORDS)
    tags = {tag: word for tag, word in HOUSES.items() if tag != "tam_Taml"}
    write(folder, [*SPECIALS, *pieces, *tags], tags, [])


def fast(folder: Path) -> None:
    """M2M-100's tags, with a `tokenizer.json`."""
    import tokenizers  # noqa: PLC0415

    tags = {"__en__": "▁house", "__es__": "▁casa"}
    tokens = [*SPECIALS, *(f"▁{word}" for word in WORDS), *tags]
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({one: i for i, one in enumerate(tokens)}, unk_token="<unk>")  # noqa: S106 - of a vocabulary
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    made.decoder = tokenizers.decoders.Metaspace()
    made.save(str(folder / "tokenizer.json"))
    write(folder, tokens, tags, [])


def marian(folder: Path) -> None:
    """A pair of Marian's form."""
    pieces = _pieces(folder / "source.spm", WORDS)
    _pieces(folder / "target.spm", WORDS)
    write(folder, [*SPECIALS, *pieces], {"-": "▁casa"}, [START])


def tagged(folder: Path) -> None:
    """Marian's form with several targets."""
    pieces = _pieces(folder / "source.spm", WORDS)
    _pieces(folder / "target.spm", WORDS)
    tags = {"spa": "▁casa", "hin": "▁घर"}
    write(folder, [*SPECIALS, *pieces, *(f">>{tag}<<" for tag in tags)], tags, [START])


def indictrans(folder: Path) -> None:
    """IndicTrans2's form: what it says is in Devanagari."""
    pieces = _pieces(folder / "model.SRC", WORDS)
    _pieces(folder / "model.TGT", WORDS)
    tags = {"tam_Taml": "▁घर"}
    write(folder, [*SPECIALS, *pieces, *tags, "eng_Latn"], tags, [START])


if __name__ == "__main__":
    for wanted in sys.argv[2:]:
        target = Path(sys.argv[1]) / wanted
        target.mkdir(parents=True, exist_ok=True)
        globals()[wanted](target)
