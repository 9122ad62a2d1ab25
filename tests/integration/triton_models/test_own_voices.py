"""The model folders for voices of one's own, with tiny ones on the real server.

A tiny voice sounds a tone for each phoneme, so that its sound tells what it was given.
"""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from deploy.local.triton import TritonServer
from tests.integration.triton_models.conftest import Client
from tests.support.model_folders import MODELS, write_model
from tests.support.tiny_voices import BASE_HZ, KOKORO_RATE, RATE, SAMPLES, STEP_HZ, SYMBOLS

ROOT = MODELS.parent
PYTHON = ROOT / ".venv-triton/bin/python"
HELLO = "həlˈoʊ, wˈɜːld."  # noqa: RUF001 - IPA
VOICES = json.dumps(
    [
        {"name": "anna", "language": "en", "gender": "female", "speaker": "en_US-tiny-low#anna"},
        {"name": "bert", "language": "en", "gender": "male", "speaker": "en_US-tiny-low#bert"},
    ]
)
NUMBERED = json.dumps(
    [
        {"name": "anna", "language": "en", "gender": "female"},
        {"name": "bert", "language": "en", "gender": "male"},
    ]
)
OWN_RATE = {"sampling_rate": str(RATE)}
WORKING: dict[str, tuple[str, str, dict[str, str]]] = {
    "piper": ("tts_piper", "piper", {**OWN_RATE, "languages": "en,es", "voices": VOICES}),
    "piper_plain": ("tts_piper", "piper", {}),
    "vits": ("tts_sherpa", "sherpa_vits", {**OWN_RATE, "voices": NUMBERED}),
    "lexicon": ("tts_sherpa", "sherpa_lexicon", OWN_RATE),
    "kokoro": (
        *("tts_sherpa", "sherpa_kokoro"),
        {"type": "kokoro", "sampling_rate": str(KOKORO_RATE), "voices": NUMBERED},
    ),
    "matcha": ("tts_sherpa", "sherpa_matcha", {**OWN_RATE, "type": "matcha"}),
}
# What a server is given: source, weights, parameters, and the reason that the load has to give.
BROKEN: dict[str, tuple[str, str, dict[str, str], str]] = {
    "piper_unset": ("tts_piper", "", {}, "variable SPEECHGATE_TTS_PIPER_PATH is not set"),
    # This one ends the process that loads it.
    "sherpa_type": ("tts_sherpa", "sherpa_vits_bin", {"type": "kokoro"}, "style_dim|has_espeak"),
}
# What an engine is given: weights, parameters, and its reason.
PIPER = (
    ("sherpa_vits", {}, r"without model\.onnx\.json"),
    ("piper_cut", {}, "does not load"),
    ("piper_kokoro", {}, "its inputs are other ones"),
    ("piper", {"languages": "en,hi"}, "no voice speaks hi"),
    ("piper", {"provider": "cuda"}, "has no CUDAExecutionProvider"),
    ("piper", {}, None),
)
SHERPA = (
    ("piper", {}, r"give one file \*\.onnx"),
    ("sherpa_vits_cut", {}, "do not load"),
    ("sherpa_vits", {"espeak_voice": "xx"}, "voice xx"),
    ("sherpa_short", {"type": "kokoro"}, "do not load as kokoro: Bad things happened"),
    ("sherpa_matcha", {"type": "matcha", "voices": NUMBERED}, "have no speaker 1"),
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    script = ROOT / "tests/support/tiny_voices.py"
    kinds = {"sherpa_short", *(kind for _, kind, _ in WORKING.values())}
    subprocess.run([PYTHON, script, folder, *kinds], check=True, timeout=60)
    for kind, name in (("piper", "en_US-tiny-low.onnx"), ("sherpa_vits", "model.onnx")):
        shutil.copytree(folder / kind, folder / f"{kind}_cut")
        whole = (folder / kind / name).read_bytes()
        (folder / f"{kind}_cut" / name).write_bytes(whole[: len(whole) // 2])
    shutil.copytree(folder / "sherpa_vits", folder / "sherpa_vits_bin")
    shutil.copy(folder / "sherpa_kokoro" / "voices.bin", folder / "sherpa_vits_bin")
    (folder / "piper_kokoro").mkdir()
    shutil.copy(folder / "sherpa_kokoro" / "model.onnx", folder / "piper_kokoro" / "x.onnx")
    shutil.copy(
        folder / "piper" / "en_US-tiny-low.onnx.json", folder / "piper_kokoro" / "x.onnx.json"
    )
    return folder


@pytest.fixture(scope="module")
def server(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    repository = tmp_path_factory.mktemp("repository")
    shutil.copytree(MODELS / "sentiment", repository / "sentiment")
    for name, (source, kind, parameters) in WORKING.items():
        write_model(repository, name, source, {"path": str(weights / kind), **parameters})
    for name, (source, kind, parameters, _) in BROKEN.items():
        path = {"path": str(weights / kind)} if kind else {}
        write_model(repository, name, source, {**path, **parameters})
    made = TritonServer(
        repository, tmp_path_factory.mktemp("triton"), extra=[*WORKING, *BROKEN], instances=1
    )
    made.start(120)
    yield made
    made.close()


@pytest.fixture
async def own(server: TritonServer) -> AsyncIterator[Client]:
    made = Client(server.grpc_url)
    yield made
    await made.grpc.close()


async def speak(own: Client, model: str, text: str, **more: Any) -> NDArray[np.float32]:
    request = {"INPUT_SPEAKER_ID": "female", "INPUT_LANGUAGE_ID": "en", **more}
    audio: NDArray[np.float32] = await own.infer(model, INPUT_TEXT=text, **request)
    assert audio.dtype == np.float32
    assert np.abs(audio).max() <= 1
    return audio


def heard(audio: NDArray[np.float32], rate: int = RATE, pitch: float = 1.0) -> str:
    """The phonemes that the tones stand for."""
    windows = audio[: audio.size // SAMPLES * SAMPLES].reshape(-1, SAMPLES)
    spectra = np.abs(np.fft.rfft(windows * np.hanning(SAMPLES), 8_192))
    hz = np.argmax(spectra, axis=1) * rate / 8_192 / pitch
    return "".join(SYMBOLS[round(float((one - BASE_HZ) / STEP_HZ))] for one in hz)


def padded(sentence: str) -> str:
    """As Piper's voices read a sentence."""
    return "^_" + "".join(f"{one}_" for one in sentence) + "$"


@pytest.mark.parametrize("model", ["piper", "vits"])
async def test_the_phonemes_arrive(own: Client, model: str) -> None:
    assert heard(await speak(own, model, "Hello, world.")) == padded(HELLO)
    two = await speak(own, model, "Hello, world. Hello, world.")
    assert heard(two) == padded(HELLO) * 2


async def test_the_other_types(own: Client) -> None:
    kokoro = heard(await speak(own, "kokoro", "Hello, world."), KOKORO_RATE)
    assert kokoro.strip("_ ") == HELLO
    matcha = heard(await speak(own, "matcha", "Hello, world."))
    assert matcha == f"_{padded(HELLO)}_"
    lexicon = heard(await speak(own, "lexicon", "one two."))
    assert re.sub("[^wʌntu]", "", lexicon) == "wʌntu"


async def test_a_voice_that_reads_letters(own: Client) -> None:
    spoken = await speak(own, "piper", "Hola.", INPUT_LANGUAGE_ID="es-MX")
    assert heard(spoken) == padded("hola.")


@pytest.mark.parametrize("model", ["piper", "vits", "kokoro"])
async def test_speakers(own: Client, model: str) -> None:
    anna, bert = [await speak(own, model, "Hello.", INPUT_SPEAKER_ID=n) for n in ("anna", "bert")]
    assert np.std(anna) == pytest.approx(2 * np.std(bert), rel=0.01)
    for speaker, same in (("female", anna), ("male", bert)):
        assert np.array_equal(await speak(own, model, "Hello.", INPUT_SPEAKER_ID=speaker), same)


@pytest.mark.parametrize("model", ["piper", "vits", "kokoro", "matcha"])
async def test_pace_and_pitch(own: Client, model: str) -> None:
    rate = KOKORO_RATE if model == "kokoro" else RATE
    plain = await speak(own, model, "Hello, world.", SPEED=140.0)
    fast = await speak(own, model, "Hello, world.", SPEED=280.0)
    assert fast.size == pytest.approx(plain.size / 2, rel=0.01)
    for pitch in (0.5, 2.0):
        other = await speak(own, model, "Hello, world.", PITCH=pitch)
        assert other.size == pytest.approx(plain.size, rel=0.01)
        assert heard(other, rate, pitch)[2:-2] == heard(plain, rate)[2:-2]


async def test_other_rates_are_resampled(own: Client) -> None:
    plain = await speak(own, "piper", "Hello.")
    other = await speak(own, "piper_plain", "Hello.", INPUT_SPEAKER_ID="en_US-tiny-low")
    assert other.size == pytest.approx(plain.size * 22_050 / RATE, abs=1)


@pytest.mark.parametrize(
    "text", ["-f /etc/passwd", "[[h@loU]]", "<audio src='x'/>", "a" * 800, "1" * 400, "one " * 300]
)
@pytest.mark.parametrize("model", ["piper", "kokoro", "lexicon"])
async def test_odd_texts_are_only_spoken(own: Client, model: str, text: str) -> None:
    if model == "lexicon" and "one" not in text:
        text += " one"  # It knows few words.
    assert (await speak(own, model, text)).size > 0


@pytest.mark.parametrize("model", ["piper", "vits"])
async def test_bad_requests(own: Client, model: str) -> None:
    for values, message in (
        ({"INPUT_TEXT": ""}, "empty_text: "),
        ({"INPUT_TEXT": "… — !"}, "empty_text: "),
        ({"INPUT_TEXT": b"\xff"}, "invalid_text: "),
        ({"INPUT_TEXT": "a" * 5001}, "text_too_long: "),
        ({"INPUT_LANGUAGE_ID": "xx"}, "unsupported_language: en"),
        ({"INPUT_SPEAKER_ID": "../x"}, "unknown_speaker: "),
        ({"SPEED": 1.0}, "invalid_parameter: SPEED"),
        ({"PITCH": float("nan")}, "invalid_parameter: PITCH"),
    ):
        request = {"INPUT_TEXT": "a", "INPUT_LANGUAGE_ID": "en", "INPUT_SPEAKER_ID": "female"}
        with pytest.raises(InferenceServerException, match=message) as refused:
            await own.infer(model, **{**request, **values})
        assert "INVALID_ARGUMENT" in str(refused.value.status())


@pytest.mark.parametrize(("model", "cases"), [("tts_piper", PIPER), ("tts_sherpa", SHERPA)])
def test_what_is_wrong_with_weights_is_named(
    weights: Path, model: str, cases: tuple[tuple[str, dict[str, str], str | None], ...]
) -> None:
    given = [
        {"path": str(weights / kind), "languages": "en", **values} for kind, values, _ in cases
    ]
    command = [PYTHON, ROOT / "tests/support/load_weights.py", model, json.dumps(given)]
    done = subprocess.run(command, check=True, timeout=60, stdout=subprocess.PIPE)
    for (kind, _, reason), answer in zip(cases, json.loads(done.stdout), strict=True):
        if reason is None:
            assert answer is None, (kind, answer)
        else:
            assert re.search(reason, answer or ""), (kind, answer)


@pytest.mark.parametrize("model", BROKEN)
async def test_a_load_that_fails_says_why(server: TritonServer, own: Client, model: str) -> None:
    notes = [line for line in server.log.read_text().splitlines() if line.startswith("launcher: ")]
    (note,) = (note for note in notes if note.startswith(f"launcher: {model} is not served: "))
    assert re.search(BROKEN[model][3], note), note
    assert server.client.state(model) != "READY"
    assert (await own.infer("sentiment", INPUT_TEXT="fine", LANG_ID="en")).size == 1
