"""Loads weights of one's own as a model does, without a server; says what is wrong with each.

Run by the Triton interpreter: `.venv-triton/bin/python tests/support/load_weights.py MODEL CASES`,
with CASES a JSON list of parameters. Answers with a JSON list of reasons, null for what loads. In
place of an answer of its own a case may have `"translate": [source, target, text]`.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

MODELS = Path(__file__).resolve().parents[2] / "triton_models"


def _load(model: str, parameters: dict[str, Any]) -> str | None:
    wanted = parameters.pop("translate", None)
    configured = {name: {"string_value": value} for name, value in parameters.items()}
    if model == "tts_piper":
        engine = importlib.import_module("piper_engine")
        engine.Synthesizer(engine.Options.of(configured))
        return None
    if model == "tts_sherpa":
        engine = importlib.import_module("sherpa_tts_engine")
        engine.try_weights(engine.Options.of(configured))
        return None
    engine = importlib.import_module("ct2_engine")
    translator = engine.Translator(engine.Options.of(configured))
    if wanted is None:
        return None
    languages = importlib.import_module("ct2_languages")
    source, target, text = (one.encode() for one in wanted)
    direction = languages.check_pair(source, target, translator.directions)
    return str(translator.translate(direction, [text])[0])


def main(model: str, cases: str) -> None:
    """Load one after the other."""
    sys.path.insert(0, str(MODELS / model / "1"))
    answers: list[str | None] = []
    for parameters in json.loads(cases):
        try:
            answers.append(_load(model, parameters))
        except Exception as error:
            if type(error).__name__ != "EngineError":
                raise
            answers.append(str(error))
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
