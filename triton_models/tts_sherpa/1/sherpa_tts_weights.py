"""Parameters and files of a sherpa-onnx voice."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping

from speech_request import (
    EngineError,
    Listed,
    folder_of,
    languages_of,
    listed_voices,
    number,
    one_of,
    values_of,
)

TYPES = ("vits", "kokoro", "matcha")
FRONTENDS = ("auto", "espeak", "text")
VOCODERS = ("*vocos*.onnx", "*hifigan*.onnx", "*vocoder*.onnx")


@dataclass(frozen=True)
class Options:
    """The parameters of config.pbtxt.

    Attributes:
        path: Folder of the weights.
        languages: Codes that may be asked for.
        voices: Names for clients; may be empty.
        type: One of ``TYPES``.
        sampling_rate: Of the audio given out, Hz.
        frontend: One of ``FRONTENDS``.
        espeak_voice: In place of the one that the weights name.
        rule_fsts: Names of files with rules for the text.
        provider: ONNX Runtime's: ``cpu`` or ``cuda``.
        threads: Of one sentence; 0 for one a core.
        timeout: Seconds that the phonemes of a text may take.
        load_timeout_s: Longest trial of the weights.
    """

    path: Path
    languages: List[str]
    voices: List[Listed]
    type: str = "vits"
    sampling_rate: int = 22_050
    frontend: str = "auto"
    espeak_voice: str = ""
    rule_fsts: str = ""
    provider: str = "cpu"
    threads: int = 0
    timeout: int = 20
    load_timeout_s: int = 300

    @classmethod
    def of(cls, parameters: Mapping[str, Mapping[str, str]]) -> "Options":
        """Read the parameters of a model's configuration.

        Raises:
            EngineError: one is missing or malformed; names it.
        """
        values = values_of(parameters)
        return cls(
            path=folder_of(values.get("path", "")),
            languages=languages_of(values.get("languages", "")),
            voices=listed_voices(values.get("voices", ""), numbered=True),
            type=one_of(values, "type", TYPES),
            sampling_rate=number(values, "sampling_rate", 22_050, 8_000),
            frontend=one_of(values, "frontend", FRONTENDS),
            espeak_voice=values.get("espeak_voice", ""),
            rule_fsts=values.get("rule_fsts", ""),
            provider=one_of(values, "provider", ["cpu", "cuda"]),
            threads=number(values, "threads", 0, 0),
            timeout=number(values, "call_timeout_s", 20, 1),
            load_timeout_s=number(values, "load_timeout_s", 300, 1),
        )

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Options":
        """Return what ``write`` wrote."""
        voices = [Listed(**one) for one in document["voices"]]
        return cls(**{**document, "path": Path(document["path"]), "voices": voices})

    def write(self) -> Dict[str, Any]:
        """Return them as JSON can hold them."""
        return {**asdict(self), "path": str(self.path)}

    @property
    def cores(self) -> int:
        """Threads of one sentence."""
        return self.threads or len(os.sched_getaffinity(0))

    @property
    def reads_text(self) -> bool:
        """Whether the weights take the text itself, not its phonemes."""
        if self.frontend == "auto":
            return bool(list(self.path.glob("lexicon*.txt")))
        return self.frontend == "text"


def find_files(options: Options) -> Dict[str, str]:
    """Return the files of the weights by what sherpa-onnx calls them; and ``rule_fsts``.

    Raises:
        EngineError: one is missing, empty, or there are several; names them.
    """
    folder = options.path
    vocoders = [file for pattern in VOCODERS for file in folder.glob(pattern)]
    networks = [file for file in folder.glob("*.onnx") if file not in vocoders]
    model = _one(options, networks, "*.onnx")
    files = {"tokens": _one(options, list(folder.glob("tokens.txt")), "tokens.txt")}
    if options.type == "matcha":
        files["acoustic_model"] = model
        # Some make sound by themselves.
        files["vocoder"] = _one(options, vocoders, VOCODERS[0]) if vocoders else ""
    else:
        files["model"] = model
    if options.type == "kokoro":
        files["voices"] = _one(options, list(folder.glob("voices.bin")), "voices.bin")
    lexicons = sorted(folder.glob("lexicon*.txt")) if options.reads_text else []
    files["lexicon"] = ",".join(str(file) for file in lexicons)
    rules = [name.strip() for name in options.rule_fsts.split(",") if name.strip()]
    for name in rules:
        if Path(name).name != name or not (folder / name).is_file():
            raise EngineError(f"parameter rule_fsts: there is no file {name} in {folder}")
    files["rule_fsts"] = ",".join(str(folder / name) for name in rules)
    return files


def _one(options: Options, found: List[Path], pattern: str) -> str:
    whole = sorted(file for file in found if file.is_file() and file.stat().st_size)
    if len(whole) != 1:
        names = ", ".join(file.name for file in whole) or "none"
        raise EngineError(
            f"no {options.type} weights in {options.path}: give one file {pattern}, found {names}"
        )
    return str(whole[0])
