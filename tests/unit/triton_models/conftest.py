"""Loads the engines of the model folders by their paths: they are no packages."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

MODELS = Path(__file__).resolve().parents[3] / "triton_models"


def load(model: str, name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, MODELS / model / "1" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def asr_narrowband() -> ModuleType:
    return load("asr", "asr_narrowband")


@pytest.fixture(scope="session")
def asr_decoder(asr_narrowband: ModuleType) -> ModuleType:
    assert asr_narrowband  # asr_decoder imports it by its name
    return load("asr", "asr_decoder")


@pytest.fixture(scope="session")
def asr(asr_decoder: ModuleType) -> ModuleType:
    assert asr_decoder  # asr_engine imports it by its name
    return load("asr", "asr_engine")


@pytest.fixture(scope="session")
def asr_g2p() -> ModuleType:
    return load("asr", "asr_g2p")


@pytest.fixture(scope="session")
def asr_boost(asr: ModuleType, asr_g2p: ModuleType) -> ModuleType:
    assert asr
    assert asr_g2p  # asr_boost imports both by their names
    return load("asr", "asr_boost")


@pytest.fixture(scope="session")
def vad() -> ModuleType:
    return load("vad", "vad_engine")


@pytest.fixture(scope="session")
def tts() -> ModuleType:
    return load("tts", "tts_engine")


@pytest.fixture(scope="session")
def nmt_text() -> ModuleType:
    return load("nmt", "nmt_text")


@pytest.fixture(scope="session")
def nmt(nmt_text: ModuleType) -> ModuleType:
    assert nmt_text  # nmt_engine imports it by its name
    return load("nmt", "nmt_engine")


@pytest.fixture(scope="session")
def sentiment() -> ModuleType:
    return load("sentiment", "sentiment_engine")


@pytest.fixture(scope="session")
def speaker_weights() -> ModuleType:
    return load("speaker", "speaker_weights")


@pytest.fixture(scope="session")
def speaker_network() -> ModuleType:
    return load("speaker", "speaker_network")


@pytest.fixture(scope="session")
def speaker(speaker_weights: ModuleType, speaker_network: ModuleType) -> ModuleType:
    assert speaker_weights  # speaker_engine imports both by their names
    assert speaker_network
    return load("speaker", "speaker_engine")


@pytest.fixture(scope="session")
def asr_stream_decoder(asr_narrowband: ModuleType) -> ModuleType:
    assert asr_narrowband  # asr_stream_decoder imports it by its name
    return load("asr_stream", "asr_stream_decoder")


@pytest.fixture(scope="session")
def asr_stream(asr_stream_decoder: ModuleType) -> ModuleType:
    assert asr_stream_decoder  # asr_stream_engine imports it by its name
    return load("asr_stream", "asr_stream_engine")


@pytest.fixture(scope="session")
def vad_stream() -> ModuleType:
    return load("vad_stream", "vad_stream_engine")
