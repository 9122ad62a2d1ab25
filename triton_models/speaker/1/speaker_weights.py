"""Resemblyzer's weights, read from its PyTorch file without PyTorch.

The file has PyTorch's format of before version 1.6: five pickles, then the
tensors' storages one after the other. The pickles are read with an unpickler
that knows the three names such a file needs and refuses any other.
"""

import importlib.util
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, Dict, Tuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


class EngineError(Exception):
    """The engine failed; another try may work."""


class _Storage:
    """A flat run of numbers that tensors look into; filled after the pickles are read."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.values: Floats = np.zeros(0, np.float32)


class _Tensor:
    """A view of a storage."""

    def __init__(
        self, storage: _Storage, offset: int, size: Tuple[int, ...], *_more: object
    ) -> None:
        self.storage, self.offset, self.size = storage, offset, size

    def array(self) -> Floats:
        """The numbers, in rows."""
        end = self.offset + int(np.prod(self.size))
        return self.storage.values[self.offset : end].reshape(self.size)


class _Unpickler(pickle.Unpickler):
    """Makes tensors and plain containers, and nothing else."""

    _NAMES = {  # noqa: RUF012 - a constant
        ("collections", "OrderedDict"): OrderedDict,
        ("torch", "FloatStorage"): float,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
    }

    def __init__(self, file: BinaryIO, storages: Dict[str, _Storage]) -> None:
        super().__init__(file)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        """Know only what the weights need."""
        try:
            return self._NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError("a name that weights have no need of") from None

    def persistent_load(self, reference: Any) -> _Storage:
        """A storage, by its key."""
        _kind, _type, key, _place, size, *_view = reference
        return self._storages.setdefault(str(key), _Storage(int(size)))


def weights_file() -> Path:
    """Return the weights inside the installed resemblyzer package.

    The package itself is never imported: it needs torch.

    Raises:
        EngineError: the package is not installed or has no such file.
    """
    spec = importlib.util.find_spec("resemblyzer")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "pretrained.pt"
        if path.is_file():
            return path
    raise EngineError("pip package resemblyzer (with its weights) is not installed")


def read_state(path: Path) -> Dict[str, Floats]:
    """Read a file's `model_state`: arrays by name.

    Raises:
        EngineError: the file is damaged, or not of this format.
    """
    storages: Dict[str, _Storage] = {}
    try:
        with path.open("rb") as file:
            read = [_Unpickler(file, storages).load() for _ in range(5)]
            magic, protocol, _machine, checkpoint, keys = read
            if magic != _MAGIC or protocol != _PROTOCOL:
                raise EngineError("the speaker weights have another format")
            for key in keys:
                storage = storages[str(key)]
                count = int(np.fromfile(file, "<i8", 1)[0])
                values = np.fromfile(file, "<f4", count)
                if not count == values.size == storage.size:
                    raise EngineError("the speaker weights are cut off")
                storage.values = values.astype(np.float32, copy=False)
        return {name: tensor.array() for name, tensor in checkpoint["model_state"].items()}
    except (OSError, EOFError, KeyError, IndexError, TypeError, ValueError) as error:
        raise EngineError("the speaker weights are damaged") from error
    except (pickle.UnpicklingError, AttributeError) as error:
        raise EngineError("the speaker weights are damaged") from error
