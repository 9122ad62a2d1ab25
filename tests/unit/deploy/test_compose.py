"""What the compose file names exists in the code, and every container is hardened alike."""

import re
from pathlib import Path

import pytest
import yaml

from deploy.docker.images import NAMES, public_images, tag
from deploy.docker.inside import entrypoint
from deploy.docker.inside.bootstrap import READERS, make_missing
from gateway.settings import GatewaySettings
from services.asr.settings import AsrSettings
from services.nlp.settings import NlpSettings
from services.tts.settings import TtsSettings
from shared.settings import CommonSettings
from tests.support.compose_file import COMPOSE, ROOT, SERVICES, mounts

SETTINGS: dict[str, type[CommonSettings]] = {
    "gateway": GatewaySettings,
    "asr": AsrSettings,
    "tts": TtsSettings,
    "nlp": NlpSettings,
}
SECRETS = "/run/speechgate/secrets"
JOBS = {
    name
    for service in SERVICES.values()
    for name, need in service.get("depends_on", {}).items()
    if need["condition"] == "service_completed_successfully"
} | {"flags", "restore"}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    make_missing(folder)
    return folder


every = pytest.mark.parametrize("name", sorted(SERVICES))
ours = pytest.mark.parametrize("name", sorted(n for n, s in SERVICES.items() if "build" in s))


def _kind(name: str) -> str:
    """The deployable whose image a service runs."""
    return Path(SERVICES[name]["build"]["dockerfile"]).name.removesuffix(".Dockerfile")


def _dockerfile(kind: str) -> str:
    return (ROOT / "deploy/docker" / f"{kind}.Dockerfile").read_text()


def _image_variables(kind: str) -> dict[str, str]:
    return dict(re.findall(r"(SPEECHGATE_[A-Z_]+)=(\S+)", _dockerfile(kind)))


@every
def test_no_container_can_do_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].split(":")[0]) > 0
    assert any(mount.startswith("/tmp:") for mount in service["tmpfs"])  # noqa: S108 - in a container


@every
def test_every_container_is_bounded(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert float(service["cpus"]) >= 0
    assert service["pids_limit"] > 0
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["stop_grace_period"]
    assert service["init"] is True


@every
def test_what_ends_is_not_restarted_and_what_serves_is_watched(name: str) -> None:
    service = SERVICES[name]
    if name in JOBS:
        assert service["restart"] == "no"
        assert service["healthcheck"] == {"disable": True}
        return
    assert service["restart"] == "unless-stopped"
    if "build" in service:
        assert "\nHEALTHCHECK " in _dockerfile(_kind(name))
    else:
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
        assert service["healthcheck"].keys() >= {"interval", "timeout", "retries", "start_period"}


@every
def test_images_are_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    assert re.search(r":v?\d+\.\d+\.?\d*[\w.-]*$", image), image


@ours
def test_our_images_are_those_that_are_built(name: str) -> None:
    service = SERVICES[name]
    assert (ROOT / service["build"]["dockerfile"]).is_file()
    assert _kind(name) in NAMES
    assert service["image"] == tag(_kind(name))


def test_the_tests_stand_in_for_the_other_images() -> None:
    others = {s["image"] for s in SERVICES.values() if "build" not in s}
    assert set(public_images().values()) == others
    standins = {path.stem for path in (ROOT / "deploy/docker/standin").glob("*.Dockerfile")}
    assert standins == {"python", "postgres", "redis", "unleash", "prometheus", "triton"}


def test_only_the_gateway_is_published_and_on_loopback() -> None:
    published = {name: s["ports"] for name, s in SERVICES.items() if "ports" in s}
    port = _image_variables("gateway")["SPEECHGATE_PORT"]
    assert published == {"gateway": [f"127.0.0.1:8000:{port}"]}


def test_only_two_networks_lead_outside() -> None:
    networks = COMPOSE["networks"]
    assert {name for name, options in networks.items() if not options} == {"edge", "outside"}
    used = {network for s in SERVICES.values() for network in s.get("networks", ())}
    assert used == set(networks)
    assert {n for n, s in SERVICES.items() if "edge" in s.get("networks", ())} == {"gateway"}


def test_volumes_are_declared_and_used() -> None:
    used = {source for name in SERVICES for source in mounts(name).values()}
    assert {source for source in used if not source.startswith(".")} == set(COMPOSE["volumes"])
    for source in used:
        assert not source.startswith(".") or (ROOT / source).is_dir(), source


def test_the_order_of_start_has_no_circle() -> None:
    done: set[str] = set()
    while len(done) < len(SERVICES):
        ready = {n for n, s in SERVICES.items() if set(s.get("depends_on", ())) <= done} - done
        assert ready, set(SERVICES) - done
        done |= ready


def test_conditions_fit_what_they_wait_for() -> None:
    for service in SERVICES.values():
        for name, need in service.get("depends_on", {}).items():
            job = need["condition"] == "service_completed_successfully"
            assert job == (name in JOBS), name


@ours
def test_variables_are_settings_of_the_process(name: str) -> None:
    kind = _kind(name)
    environment = {**_image_variables(kind), **SERVICES[name].get("environment", {})}
    ours = {key for key in environment if key.startswith("SPEECHGATE_")}
    if kind == "triton":
        source = (ROOT / "deploy/docker/inside/triton_server.py").read_text()
        assert all(f"{key}:" in source for key in ours), ours
        return
    known = {f"SPEECHGATE_{field.upper()}" for field in SETTINGS[kind].model_fields}
    known |= {f"{key}_FILE" for key in entrypoint.FROM_FILES} | {entrypoint.SLOTS}
    assert ours <= known, ours - known


@pytest.mark.parametrize(
    "name",
    sorted(
        name
        for name, service in SERVICES.items()
        if "build" in service
        and "SPEECHGATE_DATABASE_URL_FILE" in (service.get("environment") or {})
    ),
)
def test_the_process_accepts_its_settings(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secrets: Path
) -> None:
    kind = _kind(name)
    reader = mounts(name)[SECRETS].removeprefix("secrets-")
    environment = {**_image_variables(kind), **SERVICES[name]["environment"]}
    environment = {
        key: str(value).replace(SECRETS, str(secrets / reader))
        for key, value in environment.items()
        if key != entrypoint.SLOTS
    }
    if kind != "gateway":
        environment.setdefault("SPEECHGATE_SPOOL_DIR", str(tmp_path / "spool"))
    entrypoint.prepare(environment)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    settings = SETTINGS[kind]()
    assert settings.host == "0.0.0.0"  # noqa: S104 - inside a container
    assert settings.database_url.startswith(f"postgresql+asyncpg://speechgate_{kind}:")
    needed = settings.shutdown_grace_s + getattr(settings, "stream_drain_s", 0)
    if name not in JOBS:
        assert float(SERVICES[name]["stop_grace_period"].removesuffix("s")) > needed


@every
def test_secrets_are_made_and_each_reader_has_its_own(name: str, secrets: Path) -> None:
    if name == "secrets":
        assert mounts(name) == {f"/secrets/{one}": f"secrets-{one}" for one in READERS}
        return
    named = re.findall(rf"{SECRETS}/([\w.-]+)", str(SERVICES[name]))
    volume = mounts(name).get(SECRETS)
    assert bool(named) == (volume is not None) or name == "databases"
    if volume is None:
        return
    for file in named:
        assert (secrets / volume.removeprefix("secrets-") / file).is_file(), file


@pytest.mark.parametrize("kind", ["asr", "tts", "nlp"])
def test_the_gateway_balances_replicas_it_finds_by_name(kind: str) -> None:
    url = SERVICES["gateway"]["environment"][f"SPEECHGATE_{kind.upper()}_URLS"]
    service = f"{kind}-service"
    assert url == f"dns://{service}:{_image_variables(kind)['SPEECHGATE_PORT']}"
    shared = set(SERVICES[service]["networks"]) & set(SERVICES["gateway"]["networks"])
    assert shared == {"services"}, "a second address would count as a second replica"
    assert "container_name" not in SERVICES[service]
    assert "ports" not in SERVICES[service]


def test_services_reach_triton_whichever_runs() -> None:
    for kind in ("asr", "tts", "nlp"):
        environment = SERVICES[f"{kind}-service"]["environment"]
        assert environment["SPEECHGATE_TRITON_URL"] == "triton:8001"
    assert SERVICES["triton-gpu"]["networks"]["inference"]["aliases"] == ["triton"]
    assert SERVICES["triton-gpu"]["profiles"] == ["gpu"]
    assert "EXPOSE 8000 8001 8002" in _dockerfile("triton")


def test_bodies_of_pipelines_fit_into_the_gateway() -> None:
    room = GatewaySettings.model_fields["composed_body_bytes"].default
    limit = int(SERVICES["gateway"]["mem_limit"].removesuffix("m")) << 20
    assert limit >= 2 * room + (512 << 20)


def test_the_guide_tells_where_each_model_has_its_weights() -> None:
    guide = (ROOT / "docs/operations/compose.md").read_text()
    found = {}
    for path in ROOT.glob("triton_models/*/config.pbtxt"):
        for variable in re.findall(r"\$\{(SPEECHGATE_\w+)\}", path.read_text()):
            found[path.parent.name] = variable
    assert found
    for model, variable in found.items():
        assert f"| `{model}` | `{variable}` |" in guide


def test_prometheus_scrapes_every_replica() -> None:
    config = yaml.safe_load((ROOT / "deploy/monitoring/prometheus.yml").read_text())
    found = {
        names["names"][0]: str(names["port"])
        for job in config["scrape_configs"]
        for names in job.get("dns_sd_configs", ())
    }
    ports = {
        f"{kind}-service": _image_variables(kind)["SPEECHGATE_PORT"]
        for kind in ("asr", "tts", "nlp")
    }
    gateway = SERVICES["gateway"]["environment"]
    assert gateway["SPEECHGATE_ADMIN_HOST"] == "0.0.0.0"  # noqa: S104 - inside a container
    assert found == {**ports, "gateway": gateway["SPEECHGATE_ADMIN_PORT"], "triton": "8002"}
    reached = set(SERVICES["prometheus"]["networks"])
    for name in found:
        assert reached & set(SERVICES[name]["networks"]), name
    assert config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == [
        "alertmanager:9093"
    ]


def test_no_secret_is_in_the_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for line in text.splitlines():
        if re.search(r"(PASSWORD|TOKEN|SECRET)\w*:", line) and "USERNAME" not in line:
            assert SECRETS in line, line
