"""Families of translation models: their subwords, and where they want languages named.

sentencepiece and tokenizers are imported only when weights are loaded.
"""

import json
from pathlib import Path
from typing import Any, Dict, FrozenSet, List, Optional, Protocol

import ct2_indic
from ct2_languages import Direction, EngineError, Language

FAMILIES = ("auto", "nllb", "indictrans", "marian")
SPECIALS = {"<unk>", "<s>", "</s>", "<pad>", ""}


class Subwords(Protocol):
    """Cuts text into the pieces of a vocabulary."""

    def cut(self, text: str) -> List[str]:
        """Return the pieces of a text."""

    def join(self, pieces: List[str]) -> str:
        """Return the text of pieces."""


class SentencePiece:
    """A model of sentencepiece (``*.model``, ``*.spm``)."""

    def __init__(self, file: Path) -> None:
        """Load it; EngineError when the package is missing or the file is none."""
        try:
            import sentencepiece  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package sentencepiece is not installed") from error
        try:
            self._model: Any = sentencepiece.SentencePieceProcessor(model_file=str(file))
        except (RuntimeError, OSError, ValueError) as error:
            raise EngineError(f"{file} is no model of sentencepiece") from error

    def cut(self, text: str) -> List[str]:
        """Return the pieces of a text."""
        return list(self._model.encode(text, out_type=str))

    def join(self, pieces: List[str]) -> str:
        """Return the text of pieces; those that it does not know are left as they are."""
        return str(self._model.decode_pieces(pieces))


class FastTokenizer:
    """A ``tokenizer.json``."""

    def __init__(self, file: Path) -> None:
        """Load it; EngineError when the package is missing or the file is none."""
        try:
            import tokenizers  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package tokenizers is not installed") from error
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(file))
        # The package raises bare Exception.
        except Exception as error:
            raise EngineError(f"{file} is no tokenizer") from error

    def cut(self, text: str) -> List[str]:
        """Return the pieces of a text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).tokens)

    def join(self, pieces: List[str]) -> str:
        """Return the text of pieces."""
        ids = (self._tokenizer.token_to_id(piece) for piece in pieces)
        return str(self._tokenizer.decode([one for one in ids if one is not None]))


class Family(Protocol):
    """How a model's input and output are made."""

    def check(self, direction: Direction) -> None:
        """Raise EngineError when the weights do not know a language of it."""

    def source(self, text: str, direction: Direction) -> List[str]:
        """Return the tokens of a sentence."""

    def prefix(self, direction: Direction) -> Optional[List[str]]:
        """Return the tokens that the translation has to begin with."""

    def text(self, tokens: List[str], direction: Direction) -> str:
        """Return the text of a translation."""


class Multilingual:
    """NLLB and M2M-100: the source's tag before it, the target's before the translation."""

    def __init__(self, subwords: Subwords, vocabulary: FrozenSet[str], end: List[str]) -> None:
        """Keep the subwords, the vocabulary of both sides and what ends a source."""
        self._subwords = subwords
        self._vocabulary = vocabulary
        self._end = end

    def _tag(self, language: Language) -> str:
        for tag in (language.flores, f"__{language.code}__"):
            if tag in self._vocabulary:
                return tag
        raise EngineError(f"parameter languages: the weights do not know {'_'.join(language)}")

    def check(self, direction: Direction) -> None:
        """Raise EngineError when the weights do not know a language of it."""
        for language in direction:
            self._tag(language)

    def source(self, text: str, direction: Direction) -> List[str]:
        """Return the tokens of a sentence."""
        return [self._tag(direction.source), *self._subwords.cut(text), *self._end]

    def prefix(self, direction: Direction) -> Optional[List[str]]:
        """Return the tokens that the translation has to begin with."""
        return [self._tag(direction.target)]

    def text(self, tokens: List[str], direction: Direction) -> str:
        """Return the text of a translation."""
        tag = self._tag(direction.target)
        return self._subwords.join([one for one in tokens if one != tag and one not in SPECIALS])


class IndicTrans:
    """IndicTrans2: both tags before the source; the Brahmi scripts in Devanagari."""

    def __init__(
        self, source: Subwords, target: Subwords, vocabulary: FrozenSet[str], end: List[str]
    ) -> None:
        """Keep the subwords, the source's vocabulary and what ends a source."""
        self._source, self._target = source, target
        self._vocabulary = vocabulary
        self._end = end

    def check(self, direction: Direction) -> None:
        """Raise EngineError when the weights do not know a language of it."""
        for language in direction:
            if language.flores not in self._vocabulary:
                raise EngineError(f"parameter languages: the weights do not know {language.code}")

    def source(self, text: str, direction: Direction) -> List[str]:
        """Return the tokens of a sentence."""
        tags = [language.flores for language in direction]
        return [*tags, *self._source.cut(ct2_indic.before(text, tags[0])), *self._end]

    def prefix(self, direction: Direction) -> Optional[List[str]]:
        """Return None: the source says it all."""
        del direction

    def text(self, tokens: List[str], direction: Direction) -> str:
        """Return the text of a translation."""
        joined = self._target.join([one for one in tokens if one not in SPECIALS])
        return ct2_indic.after(joined, direction.target.flores)


class Marian:
    """Marian and OPUS-MT: one pair, or a target's tag before the source."""

    def __init__(
        self, source: Subwords, target: Subwords, vocabulary: FrozenSet[str], end: List[str]
    ) -> None:
        """Keep the subwords, the source's vocabulary and what ends a source."""
        self._source, self._target = source, target
        self._vocabulary = vocabulary
        self._end = end
        self.tagged = any(one.startswith(">>") and one.endswith("<<") for one in vocabulary)

    def _tags(self, language: Language) -> List[str]:
        if not self.tagged:
            return []
        for name in (language.flores, language.flores[:3], language.code):
            if f">>{name}<<" in self._vocabulary:
                return [f">>{name}<<"]
        raise EngineError(f"parameter languages: the weights do not know {language.code}")

    def check(self, direction: Direction) -> None:
        """Raise EngineError when the weights do not know its target."""
        self._tags(direction.target)

    def source(self, text: str, direction: Direction) -> List[str]:
        """Return the tokens of a sentence."""
        return [*self._tags(direction.target), *self._source.cut(text), *self._end]

    def prefix(self, direction: Direction) -> Optional[List[str]]:
        """Return None: a tag, if any, goes before the source."""
        del direction

    def text(self, tokens: List[str], direction: Direction) -> str:
        """Return the text of a translation."""
        del direction
        return self._target.join([one for one in tokens if one not in SPECIALS])


def guess_family(folder: Path) -> str:
    """Return the family that a folder's subword models belong to."""
    if (folder / "source.spm").exists():
        return "marian"
    return "indictrans" if _beside(folder, "model.SRC") else "nllb"


def make_family(folder: Path, name: str) -> Family:
    """Load the subwords of a folder's model.

    Raises:
        EngineError: a file or a package is missing, or a file is broken.
    """
    kind = guess_family(folder) if name == "auto" else name
    config = _config(folder)
    # Some converters leave it to the engine to end a source.
    end = [] if config.get("add_source_eos") else [str(config.get("eos_token", "</s>"))]
    source = _vocabulary(folder, "source")
    if kind == "nllb":
        return Multilingual(_shared_subwords(folder), source & _vocabulary(folder, "target"), end)
    names = ("source.spm", "target.spm") if kind == "marian" else ("model.SRC", "model.TGT")
    files = [_beside(folder, one) for one in names]
    for one, file in zip(names, files, strict=True):
        if file is None:
            raise EngineError(f"no {kind} weights in {folder}: without {one}")
    pair = [SentencePiece(file) for file in files if file is not None]
    made = Marian if kind == "marian" else IndicTrans
    return made(pair[0], pair[1], source, end)


def _beside(folder: Path, name: str) -> Optional[Path]:
    """A file of the folder, or of its folder ``vocab``."""
    return next((one for one in (folder / name, folder / "vocab" / name) if one.is_file()), None)


def _shared_subwords(folder: Path) -> Subwords:
    models = sorted(folder.glob("*.model"))
    if len(models) == 1:
        return SentencePiece(models[0])
    if not models and (folder / "tokenizer.json").is_file():
        return FastTokenizer(folder / "tokenizer.json")
    names = ", ".join(file.name for file in models) or "none"
    raise EngineError(
        f"no nllb weights in {folder}: give one *.model of sentencepiece or tokenizer.json, "
        f"found {names}"
    )


def _config(folder: Path) -> Dict[str, Any]:
    try:
        return dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise EngineError(f"no CTranslate2 weights in {folder}: without config.json") from error


def _vocabulary(folder: Path, side: str) -> FrozenSet[str]:
    for name in (f"{side}_vocabulary", "shared_vocabulary"):
        try:
            if (folder / f"{name}.json").is_file():
                return frozenset(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
            if (folder / f"{name}.txt").is_file():
                return frozenset((folder / f"{name}.txt").read_text(encoding="utf-8").split("\n"))
        except (OSError, ValueError, TypeError) as error:
            raise EngineError(f"{folder}/{name} is no vocabulary") from error
    raise EngineError(f"no CTranslate2 weights in {folder}: without a {side} vocabulary")
