import pytest

from gateway.models.route_table import RouteTable
from gateway.models.routes import Route, Service
from gateway.routes import INFRASTRUCTURE, ROUTES


def test_every_public_path_is_declared_with_service_and_scope() -> None:
    declared = {(route.method, route.template, route.service, route.scope) for route in ROUTES}
    assert ("POST", "/api/v1/asr/inference", "asr", "asr:infer") in declared
    assert ("POST", "/api/v1/asr/transcribe", "asr", "asr:infer") in declared
    assert ("GET", "/api/v1/asr/requests/{id}", "asr", "asr:read") in declared
    assert ("POST", "/api/v1/tts/inference", "tts", "tts:infer") in declared
    assert ("POST", "/api/v1/nmt/inference", "nlp", "nlp:infer") in declared
    assert ("POST", "/api/v1/nlp/sentiment/inference", "nlp", "nlp:infer") in declared
    assert all(route.scope for route in ROUTES)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/asr/inference/",
        "/api/v1/asr",
        "/api/v1/asr/requests/",
        "/api/v1/asr/requests/a/b",
        "/api/v1/asr/requests/a%20b",
        "/API/v1/asr/inference",
        "/api/v1/asr/inferencex",
        "/openapi.json",
    ],
)
def test_undeclared_paths_have_no_route(path: str) -> None:
    assert RouteTable(ROUTES).find(path) is None


def test_an_id_is_matched_and_the_template_kept() -> None:
    found = RouteTable(ROUTES).find("/api/v1/tts/requests/0123abcd")
    assert found is not None
    assert found["GET"].template == "/api/v1/tts/requests/{id}"


@pytest.mark.parametrize(
    "routes",
    [
        [Route("GET", "/api/a", Service.ASR, "")],
        [Route("GET", "/api/a", Service.ASR, "asr:whatever")],
        [
            Route("GET", "/api/a", Service.ASR, "asr:infer"),
            Route("GET", "/api/a", Service.TTS, "asr:infer"),
        ],
    ],
)
def test_a_bad_table_stops_the_start(routes: list[Route]) -> None:
    with pytest.raises(ValueError, match=r"route|permission"):
        RouteTable(routes)


def test_infrastructure_is_no_api() -> None:
    assert not any(path.startswith("/api") for path in INFRASTRUCTURE)
