"""Loads the engines of the model folders, which are no packages, as Triton does: by folder."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

MODELS = Path(__file__).resolve().parents[3] / "triton_models"


def load(model: str, name: str) -> ModuleType:
    folder = str(MODELS / model / "1")
    if folder not in sys.path:
        # A model's files import each other by their names.
        sys.path.append(folder)
    return importlib.import_module(name)


@pytest.fixture(scope="session")
def asr_narrowband() -> ModuleType:
    return load("asr", "asr_narrowband")


@pytest.fixture(scope="session")
def asr_decoder() -> ModuleType:
    return load("asr", "asr_decoder")


@pytest.fixture(scope="session")
def asr() -> ModuleType:
    return load("asr", "asr_engine")


@pytest.fixture(scope="session")
def asr_g2p() -> ModuleType:
    return load("asr", "asr_g2p")


@pytest.fixture(scope="session")
def asr_boost() -> ModuleType:
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
def nmt() -> ModuleType:
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
def speaker() -> ModuleType:
    return load("speaker", "speaker_engine")


@pytest.fixture(scope="session")
def asr_stream_decoder() -> ModuleType:
    return load("asr_stream", "asr_stream_decoder")


@pytest.fixture(scope="session")
def asr_stream() -> ModuleType:
    return load("asr_stream", "asr_stream_engine")


@pytest.fixture(scope="session")
def vad_stream() -> ModuleType:
    return load("vad_stream", "vad_stream_engine")
