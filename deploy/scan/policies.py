"""checkov over what kustomize makes of the overlays, and over the Dockerfiles.

What does not apply is in deploy/k8s/checkov.yaml, deploy/docker/checkov.yaml and beside the lines.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from deploy.docker.commands import PROJECT
from deploy.scan.dockerfiles import dockerfiles
from deploy.scan.report import Finding, Outcome
from deploy.scan.tools import NotScannedError, relative, run, run_json

NAME = "checkov"
KUBERNETES = PROJECT / "deploy" / "k8s"
_BAD_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: bad}
spec:
  containers: [{name: bad, image: "bad:1", securityContext: {privileged: true}}]
"""
_BAD_DOCKERFILE = "FROM debian:12\nRUN true\n"


def read(document: dict[str, Any], control: Path, rule: str) -> dict[Path, list[Finding]]:
    """The findings of a report, by file.

    Args:
        document: As checkov prints it for one framework.
        control: A bad file that was among the others.
        rule: That it breaks.

    Raises:
        NotScannedError: That one was not objected to, or a file could not be read.
    """
    unread = document.get("summary", {}).get("parsing_errors", 0)
    if unread:
        raise NotScannedError(f"checkov does not understand {unread} of the files")
    found: dict[Path, list[Finding]] = {}
    rules = set()
    for one in document.get("results", {}).get("failed_checks", []):
        path = Path(one["file_abs_path"])
        if path == control:
            rules.add(one["check_id"])
            continue
        what = f"{one['check_id']} {one['check_name']}"
        # Of a manifest the object says more than the file, which is made on the way.
        ours = path.is_relative_to(PROJECT / "deploy")
        where = relative(path) if ours else f"{path.name}:{one['resource']}"
        found.setdefault(path, []).append(Finding(NAME, where, what))
    if rule not in rules:
        raise NotScannedError(f"checkov does not object to what breaks {rule}")
    return found


def _check(config: Path, files: Sequence[Path], control: Path, rule: str) -> dict[Path, Any]:
    command = ["checkov", "--config-file", str(config), "--output", "json", "--file"]
    return read(run_json([*command, *map(str, files), str(control)]), control, rule)


def _manifests(folder: Path) -> Iterator[Outcome]:
    if shutil.which("kubectl") is None:
        raise NotScannedError("rendering needs kubectl: https://kubernetes.io/docs/tasks/tools/")
    rendered = {}
    for overlay in sorted((KUBERNETES / "overlays").iterdir()):
        path = folder / f"{overlay.name}.yaml"
        path.write_text(run(["kubectl", "kustomize", str(overlay)], codes=(0,)))
        rendered[overlay] = path
    control = folder / "bad.yaml"
    control.write_text(_BAD_POD)
    found = _check(KUBERNETES / "checkov.yaml", list(rendered.values()), control, "CKV_K8S_16")
    for overlay, path in rendered.items():
        objects = len(re.findall(r"(?m)^kind: ", path.read_text()))
        findings = tuple(found.get(path, ()))
        yield Outcome(NAME, relative(overlay), f"{objects} objects", findings)


def _dockerfiles(folder: Path) -> Iterator[Outcome]:
    files = dockerfiles()
    control = folder / "bad.Dockerfile"
    control.write_text(_BAD_DOCKERFILE)
    config = PROJECT / "deploy" / "docker" / "checkov.yaml"
    found = _check(config, files, control, "CKV_DOCKER_3")
    findings = tuple(one for each in found.values() for one in each)
    yield Outcome(NAME, "deploy/docker", f"{len(files)} files", findings)


def scan(folder: Path) -> Iterator[Outcome]:
    """Scans; the folder is for files on the way."""
    for of, part in (("deploy/k8s", _manifests), ("deploy/docker", _dockerfiles)):
        try:
            yield from part(folder)
        except NotScannedError as error:
            yield Outcome(NAME, of, "", missed=str(error))
