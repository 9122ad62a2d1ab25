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
def asr() -> ModuleType:
    return load("asr", "asr_engine")


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
