"""The manifests of deploy/k8s, read as they are written: what kustomize adds is not in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy/k8s"
BASE = KUBERNETES / "base"
NAME = "app.kubernetes.io/name"
PROCESSES = ("gateway", "asr", "tts", "nlp")
Document = dict[str, Any]


def kustomization(folder: Path) -> Document:
    """The kustomization of a folder."""
    found: Document = yaml.safe_load((folder / "kustomization.yaml").read_text())
    return found


@cache
def documents(folder: Path) -> tuple[Document, ...]:
    """The objects of a folder's resources, and of theirs."""
    found: list[Document] = []
    for name in kustomization(folder).get("resources", ()):
        path = (folder / name).resolve()
        if path.is_dir():
            found += documents(path)
        else:
            found += [one for one in yaml.safe_load_all(path.read_text()) if one]
    return tuple(found)


def of_kind(kind: str, folder: Path = BASE) -> dict[str, Document]:
    """The objects of a kind, by name."""
    return {one["metadata"]["name"]: one for one in documents(folder) if one["kind"] == kind}


@dataclass(frozen=True)
class Workload:
    """A Deployment or a Job."""

    document: Document

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["metadata"]["name"])

    @property
    def template(self) -> Document:
        """Of its pods."""
        found: Document = self.document["spec"]["template"]
        return found

    @property
    def labels(self) -> dict[str, str]:
        """Of its pods."""
        found: dict[str, str] = self.template["metadata"]["labels"]
        return found

    @property
    def pod(self) -> Document:
        """What its pods are."""
        found: Document = self.template["spec"]
        return found

    @property
    def containers(self) -> list[Document]:
        """All, those included that only prepare."""
        return [*self.pod.get("initContainers", ()), *self.pod["containers"]]

    @property
    def main(self) -> Document:
        """The container that it is about."""
        found: Document = self.pod["containers"][0]
        return found

    def ports(self) -> dict[str, int]:
        """Of its containers, by name."""
        found = [port for one in self.containers for port in one.get("ports", ())]
        return {port["name"]: port["containerPort"] for port in found}


def workloads(*folders: Path, kinds: tuple[str, ...] = ("Deployment", "Job")) -> list[Workload]:
    """The workloads of folders."""
    found = [one for folder in folders or (BASE,) for one in documents(folder)]
    return [Workload(one) for one in found if one["kind"] in kinds]


def settings_of(name: str) -> dict[str, str]:
    """The environment that a process gets from its ConfigMap."""
    lines = (BASE / name / "settings.env").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {key: value for key, _, value in pairs}


def literals(folder: Path) -> Iterator[tuple[str, str, str]]:
    """What a component changes of the ConfigMaps: whose, name, value."""
    for generator in kustomization(folder).get("configMapGenerator", ()):
        for line in generator.get("literals", ()):
            name, _, value = line.partition("=")
            yield generator["name"], name, value


def selects(selector: Document, labels: dict[str, str]) -> bool:
    """Whether a label selector selects these labels."""
    exact = selector.get("matchLabels", {})
    listed = selector.get("matchExpressions", ())
    return all(labels.get(key) == value for key, value in exact.items()) and all(
        labels.get(one["key"]) in one["values"] for one in listed
    )
