"""Model folders for weights of one's own, with tiny random ones on the real server."""

import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient.utils import InferenceServerException

from deploy.local.triton import TritonServer
from services.asr.inference.asr_model import parse_recognition
from tests.integration.triton_models.conftest import Client
from tests.support.model_folders import MODELS, write_model
from tests.support.recordings import recordings

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv-triton/bin/python"
WORDS = {"alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"}
WORKING = {
    "whisper": ("asr_whisper", "ct2_whisper", {"languages": "en,es"}),
    "ctc": ("asr_sherpa", "sherpa_nemo_ctc", {"type": "nemo_ctc"}),
    "transducer": ("asr_sherpa", "sherpa_transducer", {}),
    "paraformer": ("asr_sherpa", "sherpa_paraformer", {"type": "paraformer"}),
    "sherpa_whisper": ("asr_sherpa", "sherpa_whisper", {"type": "whisper", "languages": "en,es"}),
}
TIMED = ("whisper", "ctc", "transducer")
# Model: source, weights, parameters, and the reason that its load has to give.
BROKEN: dict[str, tuple[str, str, dict[str, str], str]] = {
    "whisper_unset": ("asr_whisper", "", {}, "variable SPEECHGATE_ASR_WHISPER_PATH is not set"),
    "whisper_nowhere": ("asr_whisper", "nowhere", {}, "parameter path: there is no folder"),
    "whisper_other": ("asr_whisper", "sherpa_nemo_ctc", {}, "without model.bin, config.json"),
    "whisper_cut": ("asr_whisper", "ct2_whisper_cut", {}, "has an invalid payload size"),
    "whisper_tongues": ("asr_whisper", "ct2_whisper", {"languages": "en,xx"}, "do not know xx"),
    "sherpa_unset": ("asr_sherpa", "", {}, "variable SPEECHGATE_ASR_SHERPA_PATH is not set"),
    "sherpa_other": ("asr_sherpa", "ct2_whisper", {}, r"give one file \*encoder\*.onnx"),
    # This one ends the process that loads it.
    "sherpa_type": (
        *("asr_sherpa", "sherpa_nemo_ctc", {"type": "paraformer"}),
        "'lfr_window_size' does not exist in the metadata",
    ),
    "sherpa_cut": ("asr_sherpa", "sherpa_nemo_ctc_cut", {"type": "nemo_ctc"}, "parsing failed"),
    "sherpa_kind": (
        "asr_sherpa",
        "sherpa_nemo_ctc",
        {"type": "hmm"},
        "parameter type: give one of",
    ),
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    scripts = ROOT / "tests/support"
    for kind in {weights for _, weights, _ in WORKING.values()}:
        sherpa = kind.startswith("sherpa_")
        command = [scripts / "tiny_sherpa.py", kind] if sherpa else [scripts / "tiny_whisper.py"]
        subprocess.run([PYTHON, *command, folder / kind], check=True, timeout=60)
    for kind, file in (("ct2_whisper", "model.bin"), ("sherpa_nemo_ctc", "model.onnx")):
        shutil.copytree(folder / kind, folder / f"{kind}_cut")
        whole = (folder / kind / file).read_bytes()
        (folder / f"{kind}_cut" / file).write_bytes(whole[: len(whole) // 2])
    return folder


@pytest.fixture(scope="module")
def server(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    repository = tmp_path_factory.mktemp("repository")
    shutil.copytree(MODELS / "vad", repository / "vad", ignore=shutil.ignore_patterns("__*"))
    for name, (source, kind, parameters) in WORKING.items():
        # The folder by a variable, as the configurations that come with the project have it.
        path = f"${{SPEECHGATE_TEST_WEIGHTS}}/{kind}"
        write_model(repository, name, source, {"path": path, **parameters})
    for name, (source, kind, parameters, _) in BROKEN.items():
        path = {"path": str(weights / kind)} if kind else {}
        write_model(repository, name, source, {**path, **parameters})
    run_dir = tmp_path_factory.mktemp("triton")
    made = TritonServer(repository, run_dir, extra=[*WORKING, *BROKEN], instances=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPEECHGATE_TEST_WEIGHTS", str(weights))
        made.start(120)
        yield made
        made.close()


@pytest.fixture
async def production(server: TritonServer) -> AsyncIterator[Client]:
    made = Client(server.grpc_url)
    yield made
    await made.grpc.close()


@pytest.fixture(scope="module")
def speech() -> Any:
    return recordings()[4].samples()[:48_000]


@pytest.mark.parametrize("model", WORKING)
async def test_the_answer_is_that_of_asr(production: Client, speech: Any, model: str) -> None:
    output = await production.infer(model, AUDIO_PCM=speech, LANG_ID="en-GB")
    found = parse_recognition(output[0])
    assert found.text
    assert set(found.text.split()) <= WORDS
    assert 0 <= found.confidence <= 1
    if model in TIMED:
        assert " ".join(word.word for word in found.words) == found.text
        times = [time for word in found.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert times[-1] <= 3.0
        assert all(0 <= word.confidence <= 1 for word in found.words)
    again = await production.infer(model, AUDIO_PCM=speech, LANG_ID="en")
    assert parse_recognition(again[0]) == found
    best = parse_recognition(
        (await production.infer(model, AUDIO_PCM=speech, LANG_ID="en", TOPK=3))[0]
    )
    assert [one.text for one in best.alternatives] == [found.text]


@pytest.mark.parametrize("model", ["whisper", "ctc"])
async def test_bounds(production: Client, speech: Any, model: str) -> None:
    nothing = await production.infer(model, AUDIO_PCM=speech[:800], LANG_ID="en")
    assert parse_recognition(nothing[0]).text == ""
    for values, message in (
        ({"LANG_ID": "xx"}, "unsupported_language: en"),
        ({"AUDIO_PCM": speech[:0]}, "empty_audio: "),
        ({"AUDIO_PCM": np.zeros(600 * 16_000 + 1, np.int16)}, "audio_too_long: "),
        ({"TOPK": 11}, "invalid_parameter: TOPK"),
    ):
        with pytest.raises(InferenceServerException, match=message) as refused:
            await production.infer(model, **{"AUDIO_PCM": speech, "LANG_ID": "en", **values})
        assert "INVALID_ARGUMENT" in str(refused.value.status())


async def test_long_audio_is_recognized_in_pieces(production: Client, speech: Any) -> None:
    tripled = np.tile(speech, 12)
    found = parse_recognition((await production.infer("ctc", AUDIO_PCM=tripled, LANG_ID="en"))[0])
    assert found.words[-1].end == pytest.approx(36.0, abs=0.5)
    times = [word.start for word in found.words]
    assert times == sorted(times)


@pytest.mark.parametrize("model", BROKEN)
async def test_a_load_that_fails_says_why(
    server: TritonServer, production: Client, speech: Any, model: str
) -> None:
    notes = [line for line in server.log.read_text().splitlines() if line.startswith("launcher: ")]
    (note,) = (note for note in notes if note.startswith(f"launcher: {model} is not served: "))
    assert re.search(BROKEN[model][3], note), note
    assert server.client.state(model) != "READY"
    assert (await production.infer("vad", AUDIO_PCM=speech))[0]
