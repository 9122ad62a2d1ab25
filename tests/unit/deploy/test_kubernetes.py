"""The manifests of Kubernetes fit each other."""

from pathlib import Path

import pytest

from tests.support.manifests import (
    BASE,
    KUBERNETES,
    NAME,
    PROCESSES,
    Workload,
    documents,
    kustomization,
    of_kind,
    selects,
    settings_of,
    workloads,
)

DEV = KUBERNETES / "overlays/dev"
DEPLOYMENTS = {one.name: one for one in workloads(kinds=("Deployment",))}
EVERYTHING = workloads(DEV)  # The base, and the databases beside it.
BACKUP = KUBERNETES / "components/backup"
WITH_BACKUP = [*EVERYTHING, *workloads(BACKUP)]
KNOWN_OUTSIDE = {"prometheus", "unleash"}


def named(workload: Workload) -> str:
    return f"{workload.document['kind']}-{workload.name}"


def grace_s(name: str) -> float:
    """What a process may take from its preStop to its end."""
    hook = DEPLOYMENTS[name].main["lifecycle"]["preStop"]["exec"]["command"]
    settings = settings_of(name)
    drain = float(settings.get("SPEECHGATE_STREAM_DRAIN_S", 0))
    return float(hook[1]) + drain + float(settings["SPEECHGATE_SHUTDOWN_GRACE_S"])


def test_there_is_a_deployment_of_each_process() -> None:
    assert set(DEPLOYMENTS) == {*PROCESSES, "triton"}


@pytest.mark.parametrize("folder", sorted(KUBERNETES.rglob("kustomization.yaml")))
def test_what_a_kustomization_names_is_there(folder: Path) -> None:
    found = kustomization(folder.parent)
    paths = [*found.get("resources", ()), *found.get("components", ())]
    paths += [patch["path"] for patch in found.get("patches", ()) if "path" in patch]
    for generator in found.get("configMapGenerator", ()):
        paths += [*generator.get("envs", ()), *generator.get("files", ())]
    for path in paths:
        assert (folder.parent / path).exists(), path
    used = {(folder.parent / path).resolve() for path in paths}
    beside = {path for path in folder.parent.iterdir() if path.suffix in (".yaml", ".env")}
    assert {path.resolve() for path in beside} - used == {folder.resolve()}


@pytest.mark.parametrize("workload", WITH_BACKUP, ids=named)
def test_selectors_select_their_own_pods(workload: Workload) -> None:
    if workload.document["kind"] == "Deployment":
        assert selects(workload.document["spec"]["selector"], workload.labels)
        for spread in workload.pod.get("topologySpreadConstraints", ()):
            assert selects(spread["labelSelector"], workload.labels)
        others = [one for one in WITH_BACKUP if one is not workload]
        for other in others:
            assert not selects(workload.document["spec"]["selector"], other.labels), other.name


@pytest.mark.parametrize("workload", WITH_BACKUP, ids=named)
def test_pods_are_restricted(workload: Workload) -> None:
    pod = workload.pod
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    accounts = of_kind("ServiceAccount", DEV) | of_kind("ServiceAccount", BACKUP)
    account = accounts[pod["serviceAccountName"]]
    assert account["automountServiceAccountToken"] is False
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] >= 10_000
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in workload.containers:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        for bound in ("requests", "limits"):
            assert {"cpu", "memory", "ephemeral-storage"} <= set(container["resources"][bound])


@pytest.mark.parametrize("workload", WITH_BACKUP, ids=named)
def test_every_mount_has_a_volume_and_every_volume_a_bound(workload: Workload) -> None:
    volumes = {volume["name"]: volume for volume in workload.pod["volumes"]}
    mounted = [mount for one in workload.containers for mount in one["volumeMounts"]]
    assert {mount["name"] for mount in mounted} == set(volumes)
    for volume in volumes.values():
        if "emptyDir" in volume:
            assert "sizeLimit" in volume["emptyDir"], volume
    for mount in mounted:
        if "secret" in volumes[mount["name"]]:
            assert mount["readOnly"] is True


@pytest.mark.parametrize("workload", workloads(DEV, kinds=("Deployment",)), ids=named)
def test_deployments_are_probed_and_kept_through_disruptions(workload: Workload) -> None:
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert probe in workload.main
        port = workload.main[probe].get("httpGet", {}).get("port")
        assert port is None or port in workload.ports()
    budget = of_kind("PodDisruptionBudget", DEV)[workload.name]
    assert selects(budget["spec"]["selector"], workload.labels)
    assert budget["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize("name", PROCESSES)
def test_a_pod_lives_until_its_process_has_ended(name: str) -> None:
    given = DEPLOYMENTS[name].pod["terminationGracePeriodSeconds"]
    # The writer's last write, and the closing of connections.
    assert given >= grace_s(name) + 10


@pytest.mark.parametrize("name", [*PROCESSES, "triton"])
def test_a_rollout_takes_nothing_away(name: str) -> None:
    spec = DEPLOYMENTS[name].document["spec"]
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    # `kubectl scale` and the autoscaler decide; an apply must not undo them.
    assert "replicas" not in spec


def test_services_lead_to_ports_of_their_pods() -> None:
    for name, service in of_kind("Service", DEV).items():
        workload = next(
            one for one in EVERYTHING if one.name == name and one.document["kind"] == "Deployment"
        )
        assert selects({"matchLabels": service["spec"]["selector"]}, workload.labels)
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in workload.ports()


@pytest.mark.parametrize("name", ["asr", "tts", "nlp"])
def test_the_gateway_balances_by_itself(name: str) -> None:
    service = of_kind("Service")[name]["spec"]
    assert service["clusterIP"] == "None"
    assert service.get("publishNotReadyAddresses", False) is False


def policies(folder: Path = DEV) -> list[tuple[str, dict[str, object]]]:
    return [
        (one["metadata"]["name"], one["spec"])
        for one in documents(folder)
        if one["kind"] == "NetworkPolicy"
    ]


def test_everything_is_denied_first() -> None:
    deny = dict(policies(BASE))["deny"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("workload", EVERYTHING, ids=named)
def test_every_pod_is_named_by_a_policy(workload: Workload) -> None:
    own = [name for name, spec in policies() if spec["podSelector"]]
    matching = [
        name
        for name, spec in policies()
        if name in own and selects(spec["podSelector"], workload.labels)  # type: ignore[arg-type]
    ]
    assert matching


def test_policies_name_pods_and_ports_that_exist() -> None:
    by_name = {one.labels[NAME]: one for one in EVERYTHING}
    numbers = {port for one in EVERYTHING for port in one.ports().values()} | {53, 443}
    words = {port for one in EVERYTHING for port in one.ports()}
    for policy in (one for one in documents(DEV) if one["kind"] == "NetworkPolicy"):
        spec = policy["spec"]
        rules = [*spec.get("ingress", ()), *spec.get("egress", ())]
        peers = [peer for rule in rules for peer in (*rule.get("from", ()), *rule.get("to", ()))]
        selectors = [spec["podSelector"], *(peer.get("podSelector", {}) for peer in peers)]
        for selector in selectors:
            values = [selector.get("matchLabels", {}).get(NAME)]
            values += [v for one in selector.get("matchExpressions", ()) for v in one["values"]]
            for value in filter(None, values):
                assert value in by_name or value in KNOWN_OUTSIDE, value
        for port in (port["port"] for rule in rules for port in rule.get("ports", ())):
            assert port in numbers or port in words, port


def allowed(sender: str, receiver: str, port: int) -> bool:
    """Whether policies let one process call another: out of the one, and into the other."""
    by_name = {one.labels[NAME]: one for one in EVERYTHING}
    ports = by_name[receiver].ports()

    def passes(direction: str, own: str, other: str) -> bool:
        for _, spec in policies():
            if not spec["podSelector"] or not selects(spec["podSelector"], by_name[own].labels):  # type: ignore[arg-type]
                continue
            for rule in spec.get(direction, ()):  # type: ignore[attr-defined]
                peers = rule["from" if direction == "ingress" else "to"]
                numbers = [ports.get(one["port"], one["port"]) for one in rule["ports"]]
                if port in numbers and any(
                    "namespaceSelector" not in peer
                    and "podSelector" in peer
                    and selects(peer["podSelector"], by_name[other].labels)
                    for peer in peers
                ):
                    return True
        return False

    return passes("egress", sender, receiver) and passes("ingress", receiver, sender)


def test_only_these_calls_are_allowed() -> None:
    names = [*PROCESSES, "triton", "postgres", "redis", "migration"]
    by_name = {one.labels[NAME]: one for one in EVERYTHING}
    found = {
        (sender, receiver, port)
        for sender in names
        for receiver in names
        for port in by_name[receiver].ports().values()
        if allowed(sender, receiver, port)
    }
    assert found == {
        ("gateway", "asr", 8001),
        ("gateway", "tts", 8002),
        ("gateway", "nlp", 8003),
        *((name, "triton", 8001) for name in ("asr", "tts", "nlp")),
        *((name, "postgres", 5432) for name in (*PROCESSES, "migration")),
        ("gateway", "redis", 6379),
    }


def test_the_edge_reaches_no_metrics_and_prometheus_nothing_else() -> None:
    labels = DEPLOYMENTS["gateway"].labels
    found = [
        (next(iter(peer["namespaceSelector"]["matchLabels"])), port["port"])
        for one in documents(DEV)
        if one["kind"] == "NetworkPolicy" and one["spec"]["podSelector"]
        if selects(one["spec"]["podSelector"], labels)
        for rule in one["spec"].get("ingress", ())
        for peer in rule["from"]
        for port in rule["ports"]
    ]
    assert sorted(found) == [
        ("kubernetes.io/metadata.name", "metrics"),
        ("speechgate.io/edge", "http"),
    ]


def test_the_namespace_enforces_the_restricted_standard() -> None:
    labels = of_kind("Namespace")["speechgate"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
