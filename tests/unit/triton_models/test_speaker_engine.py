import os
import pickle
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

Arrays = dict[str, np.ndarray[Any, np.dtype[np.float32]]]


def test_the_mel_spectrogram_is_librosas(speaker: ModuleType) -> None:
    """Values of librosa 0.11.0: melspectrogram(sr=16000, n_fft=400, hop_length=160, n_mels=40)."""
    time = np.arange(3200) / 16000
    wave = 0.2 * np.sin(2 * np.pi * (200 + 2000 * time) * time) + 0.1 * np.sin(
        2 * np.pi * 3700 * time
    )
    found = speaker.mel_frames(np.stack([wave.astype(np.float32)] * 2))

    assert found.shape == (20, 2, 40)
    assert np.array_equal(found[:, 0], found[:, 1])
    expected = [
        [0.277207, 0.60625, 8.3e-05, 0.000269, 0.007634, 6.2e-05],
        [0.0, 0.000579, 0.0, 0.0, 0.000485, 0.0],
        [7e-05, 8.3e-05, 6.050581, 0.0, 0.000584, 1e-06],
    ]
    chosen = found[np.ix_([0, 7, 19], [0], [0, 3, 12, 25, 31, 39])][:, 0]
    assert chosen == pytest.approx(np.array(expected), abs=1e-6)


def test_quiet_windows_are_raised_and_loud_ones_left(speaker: ModuleType) -> None:
    windows = np.stack([np.full(6400, level, np.float32) for level in (0.0, 0.001, 0.5)])
    raised = speaker.raise_volume(windows)
    assert np.abs(raised).max(axis=1) == pytest.approx([0.0, 10**-1.5, 0.5], rel=1e-5)


def test_windows_are_scaled_and_bounded(speaker: ModuleType) -> None:
    assert speaker.to_windows(np.full(6400, -32768, np.int16)).shape == (1, 6400)
    assert speaker.to_windows(np.full((3, 25_600), 16384, np.int16)).max() == 0.5
    for shape, code in (
        ((2, 0), "empty_audio"),
        ((2, 6399), "invalid_audio"),
        ((1, 25_601), "audio_too_long"),
    ):
        with pytest.raises(speaker.ClientError, match=rf"^{code}:"):
            speaker.to_windows(np.zeros(shape, np.int16))


class _Writer(pickle.Pickler):
    """Writes tensors as PyTorch did before version 1.6."""

    def persistent_id(self, found: Any) -> Any:
        return found.reference if isinstance(found, _FakeStorage) else None


class _FakeStorage:
    def __init__(self, kind: Any, key: str, values: Any) -> None:
        self.values = values
        self.reference = ("storage", kind, key, "cpu", values.size, None)


class _FakeTensor:
    def __init__(self, rebuild: Any, storage: _FakeStorage, offset: int, shape: Any) -> None:
        self.parts = (rebuild, (storage, offset, shape, (1,), False, OrderedDict()))

    def __reduce__(self) -> Any:
        return self.parts


def weights(path: Path, monkeypatch: pytest.MonkeyPatch, *, cut: int = 0) -> Arrays:
    """A small file of two tensors, one of which begins inside the other's storage."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    kind = type("FloatStorage", (), {"__module__": "torch"})
    torch.FloatStorage = kind  # type: ignore[attr-defined]

    def rebuild() -> None: ...

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild  # type: ignore[attr-defined]
    values = np.arange(12, dtype=np.float32)
    storage = _FakeStorage(kind, "17", values)
    state = OrderedDict(
        a=_FakeTensor(rebuild, storage, 0, (3, 4)), b=_FakeTensor(rebuild, storage, 5, (2,))
    )
    with monkeypatch.context() as context, path.open("wb") as file:
        context.setitem(sys.modules, "torch", torch)
        context.setitem(sys.modules, "torch._utils", utils)
        for part in (0x1950A86A20F9469CFC6C, 1001, {}, {"model_state": state}, ["17"]):
            _Writer(file, protocol=2).dump(part)
        file.write(np.array([12], "<i8").tobytes() + values.tobytes())
    if cut:
        path.write_bytes(path.read_bytes()[:-cut])
    return {"a": values.reshape(3, 4), "b": values[5:7]}


def test_weights_are_read_without_pytorch(
    speaker_weights: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = weights(tmp_path / "w.pt", monkeypatch)
    found = speaker_weights.read_state(tmp_path / "w.pt")
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("cut", [1, 4, 47, 60, 300])
def test_a_cut_off_file_is_refused(
    speaker_weights: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    weights(tmp_path / "w.pt", monkeypatch, cut=cut)
    with pytest.raises(speaker_weights.EngineError, match=r"^the speaker weights"):
        speaker_weights.read_state(tmp_path / "w.pt")


class _Attack:
    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.made),)


def test_a_file_that_would_run_code_does_not(speaker_weights: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_bytes(pickle.dumps(_Attack(tmp_path / "made"), protocol=2))
    with pytest.raises(speaker_weights.EngineError):
        speaker_weights.read_state(tmp_path / "w.pt")
    assert not (tmp_path / "made").exists()


def test_the_network_is_written_in_onnx(speaker_network: ModuleType) -> None:
    state = {}
    for layer in range(3):
        for part, width in (("ih", 40 if layer == 0 else 2), ("hh", 2)):
            state[f"lstm.weight_{part}_l{layer}"] = np.ones((8, width), np.float32)
            state[f"lstm.bias_{part}_l{layer}"] = np.ones(8, np.float32)
    model = speaker_network.lstm_model(state)
    assert model.startswith(b"\x08\x07\x3a")  # ir_version 7, then the graph
    assert model.endswith(b"\x42\x02\x10\x0e")  # opset 14
    assert model.count(b"LSTM") == 3
    assert model.count(b"Squeeze") == 2


def test_gates_are_put_in_onnxs_order(speaker_network: ModuleType) -> None:
    rows = np.repeat(np.arange(4, dtype=np.float32), 2)
    assert speaker_network._gates(rows).tolist() == [0, 0, 3, 3, 1, 1, 2, 2]
