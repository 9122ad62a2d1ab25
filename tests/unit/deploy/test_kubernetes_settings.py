"""Images, commands, ports, settings and secrets that manifests name are those of the code."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from gateway.routes import INFRASTRUCTURE, OWN_ROUTES, ROUTES
from gateway.settings import GatewaySettings
from gateway.upstream.dns_sources import DnsSource
from gateway.upstream.sources import parse_replicas
from services.asr.settings import AsrSettings
from services.nlp.settings import NlpSettings
from services.tts.settings import TtsSettings
from shared.settings import CommonSettings
from tests.support.exported_metrics import TRITON_GAUGES, samples
from tests.support.manifests import (
    KUBERNETES,
    PROCESSES,
    ROOT,
    Workload,
    kustomization,
    literals,
    of_kind,
    settings_of,
    workloads,
)

DOCKER = ROOT / "deploy/docker"
COMPONENTS = KUBERNETES / "components"
OVERLAYS = KUBERNETES / "overlays"
SECRETS = "/run/speechgate/secrets/"
SETTINGS: dict[str, type[CommonSettings]] = {
    "gateway": GatewaySettings,
    "asr": AsrSettings,
    "tts": TtsSettings,
    "nlp": NlpSettings,
}
# Of the images' entry point.
FROM_FILES = {"SPEECHGATE_DATABASE_URL_FILE", "SPEECHGATE_REDIS_URL_FILE"}
ENTRY_POINT = FROM_FILES | {"SPEECHGATE_SPOOL_SLOTS"}
# Secret → its files.
FILES = {
    "gateway": {"database-url", "redis-url", "key-pepper", "identity.pem", "unleash-token"},
    "asr": {"database-url", "identity.pub.pem", "data-keys"},
    "tts": {"database-url", "identity.pub.pem"},
    "nlp": {"database-url", "identity.pub.pem"},
}


def configured(name: str) -> dict[str, str]:
    """All that any overlay sets for a process."""
    changed = {
        setting: value
        for folder in sorted(COMPONENTS.iterdir())
        for whose, setting, value in literals(folder)
        if whose == name
    }
    return settings_of(name) | changed


@pytest.mark.parametrize("name", PROCESSES)
def test_every_variable_is_a_setting(name: str) -> None:
    known = {f"SPEECHGATE_{field.upper()}" for field in SETTINGS[name].model_fields}
    assert set(configured(name)) <= known | ENTRY_POINT


@pytest.mark.parametrize("name", PROCESSES)
def test_the_settings_are_valid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for setting, value in configured(name).items():
        monkeypatch.setenv(setting, value)
    monkeypatch.setenv("SPEECHGATE_DATABASE_URL", "postgresql+asyncpg://user@postgres/name")
    monkeypatch.setenv("SPEECHGATE_SPOOL_DIR", "/var/lib/speechgate/spool/slot-000")
    made = SETTINGS[name]()
    container = next(one for one in workloads() if one.name == name).main
    ports = [made.port]
    if isinstance(made, GatewaySettings):
        ports.append(made.admin_port)
        assert made.admin_host == made.host
    assert [port["containerPort"] for port in container["ports"]] == ports
    assert made.host == "0.0.0.0"  # noqa: S104 - in its own network


@pytest.mark.parametrize("name", PROCESSES)
def test_volumes_are_where_the_settings_say(name: str) -> None:
    settings = configured(name)
    container = next(one for one in workloads() if one.name == name).main
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    for setting in ("SPOOL_SLOTS", "SCRATCH_DIR", "FLAGS_CACHE_DIR"):
        path = settings.get(f"SPEECHGATE_{setting}")
        assert path is None or path in mounts
    files = {value for value in settings.values() if value.startswith(SECRETS)}
    assert {Path(value).name for value in files} == FILES[name]


def test_scratch_is_smaller_than_its_volume() -> None:
    volumes = next(one for one in workloads() if one.name == "asr").pod["volumes"]
    size = next(one for one in volumes if one["name"] == "scratch")["emptyDir"]["sizeLimit"]
    assert size == "5Gi"
    assert int(settings_of("asr")["SPEECHGATE_SCRATCH_MAX_BYTES"]) < 5 << 30


@pytest.mark.parametrize("name", ["asr", "tts", "nlp"])
def test_replicas_are_looked_up_by_the_name_of_their_service(name: str) -> None:
    source = settings_of("gateway")[f"SPEECHGATE_{name.upper()}_URLS"]
    port = of_kind("Service")[name]["spec"]["ports"][0]["port"]
    assert source == f"dns://{name}.speechgate.svc.cluster.local:{port}"
    assert isinstance(parse_replicas(source), DnsSource)


@pytest.mark.parametrize("name", ["asr", "tts", "nlp"])
def test_services_find_triton(name: str) -> None:
    ports = {one["name"]: one["port"] for one in of_kind("Service")["triton"]["spec"]["ports"]}
    assert settings_of(name)["SPEECHGATE_TRITON_URL"] == f"triton:{ports['grpc']}"


@pytest.mark.parametrize(
    "workload", workloads(OVERLAYS / "dev"), ids=lambda one: f"{one.document['kind']}-{one.name}"
)
def test_commands_and_images_exist(workload: Workload) -> None:
    for container in workload.containers:
        image = container["image"]
        if not image.startswith("speechgate/"):
            assert ":" in image  # Somebody else's, of a version.
            continue
        assert (DOCKER / f"{image.removeprefix('speechgate/')}.Dockerfile").exists()
        arguments = container["args"]
        if arguments[0] == "python3":
            assert arguments[1] == "-m"
            assert importlib.util.find_spec(arguments[2]) is not None


@pytest.mark.parametrize("overlay", ["dev", "production", "gpu"])
def test_every_image_has_a_version(overlay: str) -> None:
    listed = {one["name"]: one["newTag"] for one in kustomization(OVERLAYS / overlay)["images"]}
    assert set(listed) == {f"speechgate/{name}" for name in (*PROCESSES, "triton")}
    project = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^version = "([^"]+)"', project, re.MULTILINE)
    assert version is not None
    assert set(listed.values()) == {version[1]}


def test_secrets_are_what_the_bootstrap_makes(tmp_path: Path) -> None:
    from deploy.docker.inside.bootstrap import make_missing  # noqa: PLC0415 - needs no import above

    make_missing(tmp_path)
    for name, files in FILES.items():
        assert {path.name for path in (tmp_path / name).iterdir()} == files
    documents = yaml.safe_load_all((COMPONENTS / "external-secrets/secrets.yaml").read_text())
    for document in documents:
        keys = {one["secretKey"] for one in document["spec"]["data"]}
        assert keys == FILES[document["metadata"]["name"]]
    for volume in (
        volume
        for one in workloads(OVERLAYS / "dev", COMPONENTS / "backup")
        for volume in one.pod["volumes"]
        if "secret" in volume
    ):
        assert (tmp_path / volume["secret"]["secretName"]).is_dir()
        for item in volume["secret"].get("items", ()):
            assert (tmp_path / volume["secret"]["secretName"] / item["key"]).exists()


@pytest.mark.parametrize("name", PROCESSES)
def test_a_migration_holds_no_secret_but_the_database(name: str) -> None:
    job = next(one for one in workloads(kinds=("Job",)) if one.name == f"migrate-{name}")
    volume = next(one for one in job.pod["volumes"] if one["name"] == "secrets")
    assert [item["key"] for item in volume["secret"]["items"]] == ["database-url"]
    known = {f"SPEECHGATE_{field.upper()}" for field in SETTINGS[name].model_fields}
    variables = {one["name"] for one in job.main["env"]}
    assert variables <= known | FROM_FILES
    required = {n for n, field in SETTINGS[name].model_fields.items() if field.is_required()}
    assert {f"SPEECHGATE_{n.upper()}" for n in required - {"database_url"}} <= variables


def test_triton_reads_its_variables() -> None:
    read = (DOCKER / "inside/triton_server.py").read_text()
    read += "".join(path.read_text() for path in ROOT.glob("triton_models/*/config.pbtxt"))
    patch = yaml.safe_load((COMPONENTS / "gpu/triton.yaml").read_text())
    changed = patch["spec"]["template"]["spec"]["containers"][0]["env"]
    patch = yaml.safe_load((COMPONENTS / "tracing/triton.yaml").read_text())
    changed += patch["spec"]["template"]["spec"]["containers"][0]["env"]
    own = next(one for one in workloads() if one.name == "triton").main["env"]
    for variable in [*own, *changed]:
        assert variable["name"] in read


def test_autoscalers_follow_what_is_exported() -> None:
    deployments = {one.name for one in workloads(kinds=("Deployment",))}
    scalers = of_kind("HorizontalPodAutoscaler", COMPONENTS / "autoscaling")
    assert set(scalers) == deployments
    for name, scaler in scalers.items():
        assert scaler["spec"]["scaleTargetRef"]["name"] == name
        for metric in scaler["spec"]["metrics"]:
            if metric["type"] == "Pods":
                exported = metric["pods"]["metric"]["name"]
                assert exported in samples() or exported in TRITON_GAUGES


def test_the_adapter_of_the_guide_brings_what_autoscalers_follow() -> None:
    followed = {
        metric["pods"]["metric"]["name"]
        for scaler in of_kind("HorizontalPodAutoscaler", COMPONENTS / "autoscaling").values()
        for metric in scaler["spec"]["metrics"]
        if metric["type"] == "Pods"
    }
    guide = (ROOT / "docs/operations/kubernetes.md").read_text()
    series = re.search(r'__name__=~"([^"]+)"', guide)
    assert series is not None
    assert set(series[1].split("|")) == followed


@pytest.mark.parametrize("name", ["asr", "tts"])
def test_replicas_are_added_before_streams_are_refused(name: str) -> None:
    scaler = of_kind("HorizontalPodAutoscaler", COMPONENTS / "autoscaling")[name]
    wanted = {
        metric["pods"]["metric"]["name"]: int(metric["pods"]["target"]["averageValue"])
        for metric in scaler["spec"]["metrics"]
        if metric["type"] == "Pods"
    }
    most = SETTINGS[name].model_fields["stream_max"].default
    assert wanted[f"speechgate_{name}_streams_open"] == most / 2


def test_bodies_of_pipelines_fit_into_the_gateway() -> None:
    limit = next(one for one in workloads() if one.name == "gateway").main["resources"]["limits"]
    room = GatewaySettings.model_fields["composed_body_bytes"].default
    assert int(limit["memory"].removesuffix("Mi")) << 20 >= 2 * room + (512 << 20)


def test_the_gpu_component_changes_what_the_models_have() -> None:
    patch = yaml.safe_load((COMPONENTS / "gpu/triton.yaml").read_text())
    script = patch["spec"]["template"]["spec"]["initContainers"][0]["command"][-1]
    changes = re.findall(r'/key: "(\w+)"/s/(string_value: "\w+")/', script)
    models = re.findall(r"/models/(\w+)/config\.pbtxt", script)
    assert changes
    assert set(models) == {"asr_whisper", "nmt_ctranslate2"}
    for model in models:
        config = (ROOT / "triton_models" / model / "config.pbtxt").read_text()
        for key, value in changes:
            assert f'key: "{key}" value {{ {value} }}' in config


def matched_by_ingress(path: str) -> bool:
    ingress = of_kind("Ingress", COMPONENTS / "ingress")["gateway"]
    rules = ingress["spec"]["rules"][0]["http"]["paths"]
    return any(
        path.startswith(rule["path"]) if rule["pathType"] == "Prefix" else path == rule["path"]
        for rule in rules
    )


def matched_by_route(path: str) -> bool:
    route = of_kind("HTTPRoute", COMPONENTS / "gateway-api")["gateway"]
    matches = [match["path"] for rule in route["spec"]["rules"] for match in rule["matches"]]
    return any(
        path.startswith(one["value"]) if one["type"] == "PathPrefix" else path == one["value"]
        for one in matches
    )


@pytest.mark.parametrize("matched", [matched_by_ingress, matched_by_route])
def test_the_edge_lets_what_is_public_through(matched: object) -> None:
    assert callable(matched)
    for route in (*ROUTES, *OWN_ROUTES):
        assert matched(route.template), route.template
    inside = {"/metrics", "/ready", "/health/detailed"}
    assert inside <= INFRASTRUCTURE
    assert not any(matched(path) for path in inside)
    assert all(matched(path) for path in INFRASTRUCTURE - inside)


def test_the_edge_waits_longer_than_the_gateway() -> None:
    slow = GatewaySettings.model_fields["upstream_slow_timeout_s"].default
    notes = of_kind("Ingress", COMPONENTS / "ingress")["gateway"]["metadata"]["annotations"]
    assert int(notes["nginx.ingress.kubernetes.io/proxy-read-timeout"]) > slow
    body = GatewaySettings.model_fields["recording_body_bytes"].default
    assert notes["nginx.ingress.kubernetes.io/proxy-body-size"] == f"{body >> 20}m"
