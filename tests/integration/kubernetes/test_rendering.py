"""kubectl renders every overlay, and what it renders is valid."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.manifests import KUBERNETES, NAME, selects

OVERLAYS = ("dev", "production", "gpu")
# Definitions of others; their schemas are not Kubernetes's own.
FOREIGN = {
    "monitoring.coreos.com/v1",
    "external-secrets.io/v1",
    "gateway.networking.k8s.io/v1",
}
# That of Debian 12 (1.20) is no help: its kustomize knows no components.
pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None,
    reason="needs kubectl 1.29 or newer on PATH: https://kubernetes.io/docs/tasks/tools/",
)


@cache
def rendered(folder: Path) -> str:
    finished = subprocess.run(
        ["kubectl", "kustomize", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""  # No warnings about what is going away.
    return finished.stdout


def objects(overlay: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(rendered(KUBERNETES / "overlays" / overlay)) if one]


def check_forms(found: list[dict[str, Any]]) -> None:
    """Strictly, by the schemas of Kubernetes's newest release."""
    for one in found:
        if one["apiVersion"] not in FOREIGN:
            kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_lies_in_the_namespace(overlay: str) -> None:
    for one in objects(overlay):
        if one["kind"] != "Namespace":
            assert one["metadata"]["namespace"] == "speechgate", one["metadata"]["name"]
        assert one["metadata"]["labels"]["app.kubernetes.io/part-of"] == "speechgate"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_images_have_versions_and_configurations_exist(overlay: str) -> None:
    found = objects(overlay)
    maps = {one["metadata"]["name"] for one in found if one["kind"] == "ConfigMap"}
    for one in (one for one in found if one["kind"] in ("Deployment", "Job")):
        pod = one["spec"]["template"]["spec"]
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert ":" in container["image"]
            for source in container.get("envFrom", ()):
                assert source["configMapRef"]["name"] in maps


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_still_select(overlay: str) -> None:
    found = objects(overlay)
    pods = [
        one["spec"]["template"]["metadata"]["labels"]
        for one in found
        if one["kind"] in ("Deployment", "Job")
    ]
    for one in found:
        if one["kind"] == "Service":
            assert any(selects({"matchLabels": one["spec"]["selector"]}, labels) for labels in pods)
        if one["kind"] in ("PodDisruptionBudget", "PodMonitor", "Deployment"):
            assert any(selects(one["spec"]["selector"], labels) for labels in pods)


def test_production_keeps_spools_beyond_pods() -> None:
    deployments = {
        one["metadata"]["name"]: one for one in objects("production") if one["kind"] == "Deployment"
    }
    for name in ("asr", "tts", "nlp"):
        volumes = deployments[name]["spec"]["template"]["spec"]["volumes"]
        spool = next(one for one in volumes if one["name"] == "spool")
        assert spool == {"name": "spool", "persistentVolumeClaim": {"claimName": "spool"}}


def test_triton_of_the_gpu_overlay_asks_for_a_gpu() -> None:
    triton = next(
        one
        for one in objects("gpu")
        if one["kind"] == "Deployment" and one["metadata"]["labels"].get(NAME) == "triton"
    )
    pod = triton["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert pod["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert pod["tolerations"][0]["key"] == "nvidia.com/gpu"


def with_component(component: str, resource: str, folder: Path) -> list[dict[str, Any]]:
    """What an overlay of one's own with one component more is."""
    tree = folder / "deploy"
    for part in ("k8s", "backup", "monitoring"):
        shutil.copytree(KUBERNETES.parent / part, tree / part)
    overlay = tree / "k8s/overlays/try"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        f"namespace: speechgate\nresources: [{resource}]\n"
        f"components: [../../components/{component}]\n"
    )
    return [one for one in yaml.safe_load_all(rendered(overlay)) if one]


@pytest.mark.parametrize("component", ["gateway-api", "external-secrets"])
def test_components_that_no_overlay_uses_render(component: str, tmp_path: Path) -> None:
    assert with_component(component, "../../base", tmp_path)


@pytest.mark.parametrize("overlay", ["dev", "production"])
def test_backups_reach_the_databases(overlay: str, tmp_path: Path) -> None:
    found = with_component("backup", f"../{overlay}", tmp_path)
    by_name = {(one["kind"], one["metadata"]["name"]): one for one in found}
    pod = by_name["Deployment", "backup"]["spec"]["template"]
    out = by_name["NetworkPolicy", "postgres"]["spec"]
    assert selects(out["podSelector"], pod["metadata"]["labels"])
    scripts = next(one for one in pod["spec"]["volumes"] if "configMap" in one)["configMap"]["name"]
    assert by_name["ConfigMap", scripts]["data"].keys() >= {"backup.sh", "common.sh"}
    assert ("PersistentVolumeClaim", "backups") in by_name
    if overlay == "dev":
        into = by_name["NetworkPolicy", "postgres-clients"]["spec"]["ingress"][0]["from"][0]
        assert selects(into["podSelector"], pod["metadata"]["labels"])
        server = by_name["Deployment", "postgres"]["spec"]["template"]["spec"]
        assert "hba_file=/etc/speechgate/backup/pg_hba.conf" in server["containers"][0]["args"]
        assert {"name": "backup", "configMap": {"name": scripts}} in server["volumes"]
    check_forms(found)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_objects_have_the_form_that_kubernetes_asks_for(overlay: str) -> None:
    check_forms(objects(overlay))
