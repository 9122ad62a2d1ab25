from typing import Any

from gateway.models.routes import BodyBound, Route, Service
from gateway.services.api_document import REFRESH_S, RETRY_S, ApiDocument

ROUTES = (
    Route("POST", "/api/v1/asr/inference", Service.ASR, "asr:infer", BodyBound.AUDIO),
    Route("GET", "/api/v1/tts/requests/{id}", Service.TTS, "tts:read"),
)
OWN: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "t"}, "paths": {"/health": {}}}


def service_document(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Request"}
    content = {"application/json": {"schema": schema}}
    operation = {
        "summary": description,
        "requestBody": {"content": content},
        "responses": {"200": {"description": "ok"}, "422": {"description": "Validation Error"}},
    }
    return {
        "paths": {
            "/api/v1/asr/inference": {"post": operation},
            "/api/v1/tts/requests/{request_id}": {"get": operation},
            "/internal": {"get": operation},
        },
        "components": {"schemas": {"Request": {"type": "object", "description": description}}},
    }


async def test_only_declared_operations_appear_with_what_the_gateway_adds() -> None:
    async def fetch(service: Service) -> dict[str, Any]:
        return service_document(service)

    merged = await ApiDocument(lambda: OWN, fetch, ROUTES).get()
    assert set(merged["paths"]) == {
        "/health",
        "/api/v1/asr/inference",
        "/api/v1/tts/requests/{id}",
    }
    asr = merged["paths"]["/api/v1/asr/inference"]["post"]
    tts = merged["paths"]["/api/v1/tts/requests/{id}"]["get"]
    assert asr["summary"] == "asr"
    assert tts["summary"] == "tts"
    assert asr["security"] == [{"Bearer": []}, {"ApiKey": []}]
    assert asr["responses"]["429"] == {"$ref": "#/components/responses/native-429"}
    assert "RateLimit" in asr["responses"]["200"]["headers"]
    assert "413" in asr["responses"]
    assert "413" not in tts["responses"]
    assert asr["responses"]["422"] == {"$ref": "#/components/responses/native-422"}
    assert "422" not in tts["responses"]
    assert "404" in tts["responses"]
    assert "404" not in asr["responses"]
    assert asr["operationId"] != tts["operationId"]
    assert "title" in OWN["info"]
    assert "description" not in OWN["info"]  # the gateway's own document is not changed


async def test_schemas_of_one_name_and_two_contents_are_kept_apart() -> None:
    async def fetch(service: Service) -> dict[str, Any]:
        return service_document(service)

    merged = await ApiDocument(lambda: OWN, fetch, ROUTES).get()
    schemas = merged["components"]["schemas"]
    found = {}
    for path, method in (("/api/v1/asr/inference", "post"), ("/api/v1/tts/requests/{id}", "get")):
        body = merged["paths"][path][method]["requestBody"]["content"]["application/json"]
        found[path] = schemas[body["schema"]["$ref"].rpartition("/")[2]]["description"]
    assert found == {"/api/v1/asr/inference": "asr", "/api/v1/tts/requests/{id}": "tts"}


async def test_a_service_that_is_down_does_not_take_the_others_along() -> None:
    now, down, calls = 0.0, {Service.TTS}, 0

    async def fetch(service: Service) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        if service in down:
            raise ConnectionRefusedError
        return service_document(service)

    document = ApiDocument(lambda: OWN, fetch, ROUTES, clock=lambda: now)
    merged = await document.get()
    assert merged["paths"]["/api/v1/asr/inference"]["post"]["summary"] == "asr"
    missing = merged["paths"]["/api/v1/tts/requests/{id}"]["get"]
    assert "does not answer" in missing["summary"]
    assert missing["parameters"][0]["name"] == "id"
    await document.get()
    assert calls == 2
    now, down = RETRY_S + 0.1, set()
    merged = await document.get()
    assert merged["paths"]["/api/v1/tts/requests/{id}"]["get"]["summary"] == "tts"
    down = {Service.TTS}
    now += REFRESH_S + 0.1
    merged = await document.get()  # what it said last stays
    assert merged["paths"]["/api/v1/tts/requests/{id}"]["get"]["summary"] == "tts"


async def test_refusals_have_the_shape_of_their_path() -> None:
    paths = ("/v1/audio/transcriptions", "/services/inference/asr", "/api/v1/asr/inference")
    routes = [Route("POST", path, Service.ASR, "asr:infer", BodyBound.AUDIO) for path in paths]
    operation = {"requestBody": {}, "responses": {"200": {"description": "ok"}}}

    async def fetch(_: Service) -> dict[str, Any]:
        return {"paths": {path: {"post": operation} for path in paths}}

    merged = await ApiDocument(lambda: OWN, fetch, routes).get()
    components, shapes = merged["components"], {}
    for path in paths:
        answers = merged["paths"][path]["post"]["responses"]
        refusal = components["responses"][answers["429"]["$ref"].rpartition("/")[2]]
        ((media_type, content),) = refusal["content"].items()
        schema = components["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
        shapes[path] = (media_type, schema["title"], "422" in answers, "404" in answers)
    assert shapes == {
        paths[0]: ("application/json", "OpenAI error", False, True),
        paths[1]: ("application/json", "ULCA error", True, False),
        paths[2]: ("application/problem+json", "Problem", True, False),
    }
