"""What can be chosen about a local stack."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.info import StackKind
from deploy.local.services import PROJECT
from deploy.local.triton import DEFAULT_VENV
from deploy.local.unleash import DEFAULT_INSTALLATION

DEFAULT_RUN_DIR = PROJECT / ".run"


def _instances() -> int | None:
    value = os.environ.get("SPEECHGATE_TRITON_INSTANCES")
    return int(value) if value else None


def _extra_models() -> tuple[str, ...]:
    value = os.environ.get("SPEECHGATE_TRITON_EXTRA_MODELS", "")
    return tuple(name.strip() for name in value.split(",") if name.strip())


@dataclass(frozen=True)
class StackOptions:
    """What can be chosen about a stack.

    Attributes:
        kind: `embedded` or `full`.
        run_dir: Folder of its data, secrets and logs; one stack at a time.
        asr_replicas: ASR processes; two or more are named asr-1, asr-2, ….
        gateway_port: The gateway's port if it is free; else the one of the last run.
        repository: Triton's model repository.
        triton_venv: The Triton interpreter.
        triton_instances: Instances of each model; None for one a core.
        triton_extra_models: Models with weights of the user, to be loaded beside the others.
        unleash: Where Unleash is installed, for the full stack.
        fsync: Whether PostgreSQL's commits reach the disk.
        env: More environment for each product process, full names (`SPEECHGATE_LOG_LEVEL`).
        process_env: The same for one kind (gateway, asr, tts, nlp); wins over `env`.
        progress: Is told a line when a component is ready.
    """

    kind: StackKind = "embedded"
    run_dir: Path = DEFAULT_RUN_DIR
    asr_replicas: int = 1
    gateway_port: int | None = None
    repository: Path = PROJECT / "triton_models"
    triton_venv: Path = DEFAULT_VENV
    triton_instances: int | None = field(default_factory=_instances)
    triton_extra_models: tuple[str, ...] = field(default_factory=_extra_models)
    unleash: Path = DEFAULT_INSTALLATION
    fsync: bool = True
    env: Mapping[str, str] = field(default_factory=dict)
    process_env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    progress: Callable[[str], None] = lambda _: None

    def names(self, kind: str) -> list[str]:
        """The names of a service's replicas."""
        if kind == "asr" and self.asr_replicas > 1:
            return [f"asr-{number}" for number in range(1, self.asr_replicas + 1)]
        return [kind]
