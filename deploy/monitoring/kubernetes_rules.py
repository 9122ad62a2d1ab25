#!/usr/bin/env python3
"""Writes the rules as objects of the Prometheus operator.

`python3 deploy/monitoring/kubernetes_rules.py`, after each change of `rules/*.yml`: kustomize reads
no file outside its folder, and Prometheus no object of Kubernetes.
"""

from pathlib import Path

RULES = Path(__file__).parent / "rules"
TARGET = Path(__file__).parents[1] / "k8s/components/monitoring/rules"
_HEAD = """\
# Made from deploy/monitoring/rules/{name}.yml by kubernetes_rules.py beside it.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: speechgate-{name}
spec:
"""


def objects() -> dict[str, str]:
    """File names and contents."""
    found = {}
    for path in sorted(RULES.glob("*.yml")):
        lines = path.read_text().splitlines()
        begin = lines.index("groups:")
        body = "".join(f"  {line}\n" if line else "\n" for line in lines[begin:])
        found[f"{path.stem}.yaml"] = _HEAD.format(name=path.stem) + body
    resources = "".join(f"  - {name}\n" for name in found)
    found["kustomization.yaml"] = (
        f"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n{resources}"
    )
    return found


if __name__ == "__main__":
    TARGET.mkdir(exist_ok=True)
    for old in TARGET.iterdir():
        old.unlink()
    for file_name, content in objects().items():
        (TARGET / file_name).write_text(content)
