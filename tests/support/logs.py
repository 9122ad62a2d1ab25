"""What a module logs."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

from structlog.testing import capture_logs

from shared.logging import get_logger


@contextmanager
def logged_by(module: ModuleType) -> Iterator[list[MutableMapping[str, Any]]]:
    """Lines of a module's `_logger`, as they come.

    It gets a new one meanwhile: one that was used before keeps the processors of then.
    """
    with patch.object(module, "_logger", get_logger(module.__name__)), capture_logs() as lines:
        yield lines
