"""Parameters and files of a sherpa-onnx model."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

# The parts of each type; a single model has any name.
PARTS: Dict[str, List[str]] = {
    "whisper": ["encoder", "decoder"],
    "transducer": ["encoder", "decoder", "joiner"],
    "nemo_ctc": ["model"],
    "paraformer": ["model"],
}
PRECISIONS = ("float32", "int8")

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class EngineError(Exception):
    """The engine failed, or its weights cannot be used."""


@dataclass(frozen=True)
class Options:
    """The parameters of config.pbtxt.

    Attributes:
        path: Folder of the weights.
        languages: Codes that may be asked for.
        type: One of ``PARTS``.
        precision: Which files, where there are several of a part.
        provider: ONNX Runtime's: ``cpu`` or ``cuda``.
        threads: Of one recognition; 0 for one a core.
        load_timeout_s: Longest trial of the weights.
    """

    path: Path
    languages: List[str]
    type: str = "transducer"
    precision: str = "float32"
    provider: str = "cpu"
    threads: int = 0
    load_timeout_s: int = 300

    @classmethod
    def of(cls, parameters: Dict[str, Dict[str, str]]) -> "Options":
        """Read the parameters of a model's configuration.

        Raises:
            EngineError: one is missing or malformed; names it.
        """
        values = {name: one["string_value"].strip() for name, one in parameters.items()}
        languages = [code.strip() for code in values.get("languages", "").split(",")]
        if not all(languages):
            raise EngineError("parameter languages: give codes separated by commas")
        return cls(
            path=folder_of(values.get("path", "")),
            languages=languages,
            type=_one_of("type", values.get("type", "transducer"), list(PARTS)),
            precision=_one_of("precision", values.get("precision", "float32"), list(PRECISIONS)),
            provider=values.get("provider", "cpu"),
            threads=_number("threads", values.get("threads", "0"), 0),
            load_timeout_s=_number("load_timeout_s", values.get("load_timeout_s", "300"), 1),
        )

    @property
    def cores(self) -> int:
        """Threads of one recognition."""
        return self.threads or len(os.sched_getaffinity(0))


def _number(name: str, text: str, least: int) -> int:
    if not text.isdigit() or int(text) < least:
        raise EngineError(f"parameter {name}: give a number of at least {least}")
    return int(text)


def _one_of(name: str, text: str, known: List[str]) -> str:
    if text not in known:
        raise EngineError(f"parameter {name}: give one of {', '.join(known)}")
    return text


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


def find_files(options: Options) -> Dict[str, str]:
    """Return the file of each part, and of ``tokens``.

    Raises:
        EngineError: one is missing, empty, or there are several; names them.
    """
    files = {part: _onnx(options, part) for part in PARTS[options.type]}
    tokens = sorted(options.path.glob("*tokens.txt"))
    if len(tokens) != 1 or not tokens[0].stat().st_size:
        raise EngineError(f"no {options.type} weights in {options.path}: give one tokens.txt")
    return {**files, "tokens": str(tokens[0])}


def _onnx(options: Options, part: str) -> str:
    pattern = "*.onnx" if part == "model" else f"*{part}*.onnx"
    found = [file for file in sorted(options.path.glob(pattern)) if file.stat().st_size]
    wanted = [file for file in found if ("int8" in file.name) == (options.precision == "int8")]
    chosen = wanted or found
    if len(chosen) != 1:
        names = ", ".join(file.name for file in chosen) or "none"
        raise EngineError(
            f"no {options.type} weights in {options.path}: give one file {pattern}, found {names}"
        )
    return str(chosen[0])
