"""Writes the LSTM as an ONNX model (protocol buffers, onnx.proto of ONNX 1.9), for ONNX Runtime.

The few messages it takes are encoded here, so that the `onnx` package is not needed. ONNX
Runtime's LSTM is twice as fast as the same in numpy.
"""

from typing import Dict, List, Union

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
LAYERS = 3
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_INT_ATTRIBUTE = 2  # AttributeProto.AttributeType
_OPSET = 14
_IR_VERSION = 7
_MORE = 0x80


def lstm_model(state: Dict[str, Floats]) -> bytes:
    """Return a model from `mel` [T, B, 40] to `hidden` [1, B, H], the last layer's last state."""
    nodes: List[bytes] = []
    tensors = [_tensor("first_axis", np.array([1], np.int64))]
    source = "mel"
    hidden = state["lstm.bias_hh_l0"].size // 4
    for layer in range(LAYERS):
        names = [f"{kind}{layer}" for kind in ("W", "R", "B")]
        bias = [_gates(state[f"lstm.bias_{part}_l{layer}"]) for part in ("ih", "hh")]
        values = [
            _gates(state[f"lstm.weight_ih_l{layer}"]),
            _gates(state[f"lstm.weight_hh_l{layer}"]),
            np.concatenate(bias),
        ]
        # One direction: each has a leading axis of 1.
        tensors += [_tensor(name, one[None]) for name, one in zip(names, values, strict=True)]
        last = layer == LAYERS - 1
        outputs = ["", "hidden"] if last else [f"outputs{layer}"]
        nodes.append(_node("LSTM", [source, *names], outputs, hidden_size=hidden))
        if not last:
            source = f"sequence{layer}"
            nodes.append(_node("Squeeze", [f"outputs{layer}", "first_axis"], [source]))
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _field(2, "speaker"),
            *(_field(5, tensor) for tensor in tensors),
            _field(11, _value("mel", ["frames", "windows", 40])),
            _field(12, _value("hidden", [1, "windows", hidden])),
        ]
    )
    return _field(1, _IR_VERSION) + _field(7, graph) + _field(8, _field(2, _OPSET))


def _gates(rows: Floats) -> Floats:
    """Put PyTorch's gates (input, forget, cell, output) in ONNX's order."""
    enter, forget, cell, leave = np.split(rows, 4)
    return np.concatenate([enter, leave, forget, cell])


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= _MORE:
        encoded.append(number % _MORE | _MORE)
        number //= _MORE
    encoded.append(number)
    return bytes(encoded)


def _field(number: int, value: Union[int, str, bytes]) -> bytes:
    """One field of a message: a number, or text, bytes or a message with its length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _node(kind: str, inputs: List[str], outputs: List[str], **attributes: int) -> bytes:
    """NodeProto."""
    return b"".join(
        [
            *(_field(1, name) for name in inputs),
            *(_field(2, name) for name in outputs),
            _field(4, kind),
            *(
                _field(5, _field(1, name) + _field(3, value) + _field(20, _INT_ATTRIBUTE))
                for name, value in attributes.items()
            ),
        ]
    )


def _tensor(name: str, values: NDArray[np.generic]) -> bytes:
    """TensorProto."""
    kind = _FLOAT if values.dtype == np.float32 else _INT64
    dims = b"".join(_field(1, size) for size in values.shape)
    return dims + _field(2, kind) + _field(8, name) + _field(9, values.tobytes())


def _value(name: str, dims: List[Union[int, str]]) -> bytes:
    """ValueInfoProto of floats; a dimension with a name is free."""
    shape = b"".join(_field(1, _field(1 if isinstance(size, int) else 2, size)) for size in dims)
    return _field(1, name) + _field(2, _field(1, _field(1, _FLOAT) + _field(2, shape)))
