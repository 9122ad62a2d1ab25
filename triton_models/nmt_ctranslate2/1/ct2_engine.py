"""Translation by CTranslate2: weights, sentences, batches. No Triton in here."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Sequence, Union

from ct2_families import FAMILIES, Marian, make_family
from ct2_languages import ClientError, Direction, EngineError, directions_of
from ct2_text import Piece, clean_text, halves_of, joiner, pieces_of

# Models learnt sentences of about so many tokens; longer ones are cut at a space.
MAX_TOKENS = 200
# A translation that repeats itself ends here.
MAX_OUTPUT_TOKENS = 400
# Sentences between two looks whether anyone still waits.
CHUNK = 64
# Tokens computed at once: memory.
BATCH_TOKENS = 2_048

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

Outcome = Union[str, ClientError, EngineError]


class Cancelled(Exception):
    """The clients have gone."""


@dataclass(frozen=True)
class Options:
    """The parameters of config.pbtxt.

    Attributes:
        path: Folder of the weights.
        directions: Pairs that may be asked for.
        family: One of ``FAMILIES``.
        device: ``cpu``, ``cuda`` or ``auto``.
        compute_type: A CTranslate2 type, such as ``int8``.
        threads: Of one batch; 0 for one a core.
        beam_size: Hypotheses that are followed.
    """

    path: Path
    directions: List[Direction]
    family: str = "auto"
    device: str = "cpu"
    compute_type: str = "int8"
    threads: int = 0
    beam_size: int = 4

    @classmethod
    def of(cls, parameters: Mapping[str, Mapping[str, str]]) -> "Options":
        """Read the parameters of a model's configuration.

        Raises:
            EngineError: one is missing or malformed; names it.
        """
        values = {name: one["string_value"].strip() for name, one in parameters.items()}
        family = values.get("family") or "auto"
        if family not in FAMILIES:
            raise EngineError(f"parameter family: give one of {', '.join(FAMILIES)}")
        return cls(
            path=folder_of(values.get("path", "")),
            directions=directions_of(values.get("languages", "")),
            family=family,
            device=values.get("device", "cpu"),
            compute_type=values.get("compute_type", "int8"),
            threads=_number("threads", values.get("threads", "0"), 0),
            beam_size=_number("beam_size", values.get("beam_size", "4"), 1),
        )


def _number(name: str, text: str, least: int) -> int:
    if not text.isdigit() or int(text) < least:
        raise EngineError(f"parameter {name}: give a number of at least {least}")
    return int(text)


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


class Translator:
    """One translation model."""

    def __init__(self, options: Options) -> None:
        """Load the weights and translate a word.

        Raises:
            EngineError: a package is missing, or the weights are broken, of another family or
                of other languages than configured.
        """
        model = options.path / "model.bin"
        if not model.is_file() or not model.stat().st_size:
            raise EngineError(f"no CTranslate2 weights in {options.path}: without model.bin")
        self._family = make_family(options.path, options.family)
        self.directions = options.directions
        if isinstance(self._family, Marian) and not self._family.tagged and self.directions[1:]:
            raise EngineError("parameter languages: these weights translate one pair only")
        for direction in self.directions:
            self._family.check(direction)
        try:
            import ctranslate2  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package ctranslate2 is not installed") from error
        self._beam_size = options.beam_size
        try:
            self._translator: Any = ctranslate2.Translator(
                str(options.path),
                device=options.device,
                compute_type=options.compute_type,
                intra_threads=options.threads or len(os.sched_getaffinity(0)),
            )
            (outcome,) = self.translate(self.directions[0], [b"1"])
        except (RuntimeError, ValueError, TypeError) as error:
            reason = f"{error}"[:300]
            raise EngineError(f"the weights in {options.path} do not load: {reason}") from error
        if isinstance(outcome, Exception):
            raise outcome

    def translate(
        self,
        direction: Direction,
        raw_texts: Sequence[bytes],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> List[Outcome]:
        """Translate texts of one served direction, each with its own outcome.

        Args:
            direction: from ``check_pair``.
            raw_texts: UTF-8, at most 5,000 characters each; line breaks stay.
            cancelled: asked now and then.

        Returns:
            A text, or the error of that text alone, in the order given.

        Raises:
            Cancelled: ``cancelled`` said so.
        """
        cut: List[Union[List[Piece], ClientError]] = []
        for raw in raw_texts:
            try:
                cut.append(pieces_of(clean_text(raw)))
            except ClientError as error:
                cut.append(error)
        pieces = [one for found in cut if isinstance(found, list) for one in found if one.text]
        try:
            done = self._sentences(direction, sorted({one.text for one in pieces}), cancelled)
        except (RuntimeError, ValueError) as error:
            failure = EngineError(f"CTranslate2 failed: {error}"[:300])
            return [found if isinstance(found, ClientError) else failure for found in cut]
        return [
            found
            if isinstance(found, ClientError)
            else "".join(one.before + done.get(one.text, "") + one.after for one in found)
            for found in cut
        ]

    def _sentences(
        self, direction: Direction, texts: Sequence[str], cancelled: Callable[[], bool]
    ) -> Dict[str, str]:
        """The translations of different sentences."""
        parts = {text: self._parts(direction, text) for text in texts}
        flat = sorted({part for found in parts.values() for part in found}, key=len)
        prefix = self._family.prefix(direction)
        translated: Dict[str, str] = {}
        for start in range(0, len(flat), CHUNK):
            if cancelled():
                raise Cancelled
            chunk = flat[start : start + CHUNK]
            results = self._translator.translate_batch(
                [self._family.source(part, direction) for part in chunk],
                target_prefix=None if prefix is None else [prefix] * len(chunk),
                beam_size=self._beam_size,
                max_batch_size=BATCH_TOKENS,
                batch_type="tokens",
                max_input_length=0,
                max_decoding_length=MAX_OUTPUT_TOKENS,
            )
            for part, result in zip(chunk, results, strict=True):
                translated[part] = self._family.text(list(result.hypotheses[0]), direction)
        return {
            text: joiner(text).join(translated[part] for part in found)
            for text, found in parts.items()
        }

    def _parts(self, direction: Direction, text: str) -> List[str]:
        """A sentence, or its halves and theirs when it has too many tokens."""
        if len(self._family.source(text, direction)) <= MAX_TOKENS or len(text) < 2:  # noqa: PLR2004 - no halves
            return [text]
        return [part for half in halves_of(text) for part in self._parts(direction, half)]
