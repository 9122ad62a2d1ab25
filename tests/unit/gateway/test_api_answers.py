from typing import Any

import pytest

from gateway.models.routes import BodyBound, OwnRoute, Route, Service, Transport
from gateway.services.api_answers import Nature, describe_answers, describe_open, stream_operation
from gateway.services.api_document import ApiDocument

BODY: dict[str, Any] = {"content": {"application/json": {"schema": {"type": "object"}}}}


def described(route: Route | OwnRoute, **operation: Any) -> dict[str, Any]:
    document: dict[str, Any] = {"responses": {"200": {"description": "ok"}}, **operation}
    nature = Nature.of(route) if isinstance(route, Route) else Nature.of_own(route)
    describe_answers(document, nature)
    answers: dict[str, Any] = document["responses"]
    return answers


def query(**schema: Any) -> list[dict[str, Any]]:
    return [{"name": "limit", "in": "query", "schema": schema}]


def place(**schema: Any) -> list[dict[str, Any]]:
    return [{"name": "id", "in": "path", "schema": schema}]


OWN_LIST = OwnRoute("GET", "/api/v1/calls", "calls:read")
OWN_ITEM = OwnRoute("GET", "/api/v1/calls/{id}", "calls:read")
ITEM = Route("GET", "/api/v1/tts/lexicon/{id}", Service.TTS, "tts:read")


@pytest.mark.parametrize(
    ("route", "parameters", "checked"),
    [
        (OWN_LIST, query(type="integer", maximum=200), True),
        (OWN_LIST, query(anyOf=[{"type": "string", "maxLength": 64}, {"type": "null"}]), True),
        (OWN_LIST, query(type="string"), False),
        (OWN_LIST, [], False),
        # Its table refuses what can be no id; a service looks at it itself.
        (OWN_ITEM, place(type="string", pattern="^[a-z]$"), False),
        (ITEM, place(type="string", maxLength=64), True),
        (ITEM, place(type="string"), False),
    ],
)
def test_a_parameter_that_can_be_wrong_is_a_422(
    route: Route | OwnRoute, parameters: list[dict[str, Any]], *, checked: bool
) -> None:
    assert ("422" in described(route, parameters=parameters)) is checked


def test_what_only_some_routes_answer_is_not_said_of_others() -> None:
    plain = described(OwnRoute("GET", "/api/v1/auth/me", ""))
    assert list(plain) == ["200", "400", "401", "403", "429", "503"]
    login = described(OwnRoute("POST", "/api/v1/auth/login", None), requestBody=BODY)
    assert "429" not in login
    assert "RateLimit" not in login["200"]["headers"]
    assert {"408", "413", "422"} <= login.keys()
    composed = OwnRoute("POST", "/x", "calls:write", BodyBound.RECORDING, composed=True)
    assert {"415", "504"} <= described(composed, requestBody=BODY).keys()
    text = Route("POST", "/api/v1/nmt/inference", Service.NLP, "nlp:infer", BodyBound.SMALL)
    assert "415" not in described(text, requestBody=BODY)
    assert "409" not in described(text, requestBody=BODY)


def test_a_handlers_own_reason_stays_in_the_shape_of_the_dialect() -> None:
    route = Route("POST", "/v1/audio/speech", Service.TTS, "tts:infer", BodyBound.SMALL)
    own = {"200": {"description": "ok"}, "409": {"description": "Taken."}}
    refusal = described(route, responses=own, requestBody=BODY)["409"]
    assert refusal["description"] == "Taken."
    schema = refusal["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/OpenAiError"}
    framework = {"200": {"description": "ok"}, "422": {"description": "Validation Error"}}
    native = Route("POST", "/api/v1/nmt/inference", Service.NLP, "nlp:infer", BodyBound.SMALL)
    answers = described(native, responses=framework, requestBody=BODY)
    assert answers["422"] == {"$ref": "#/components/responses/native-422"}


def test_streams_say_what_a_plain_request_gets() -> None:
    socket = Route("GET", "/ws/audio", Service.ASR, "asr:infer", transport=Transport.WEBSOCKET)
    answers = stream_operation("GET", socket.transport)["responses"]
    assert {"101", "426"} <= described(socket, responses=answers).keys()
    polled = Route(
        "POST",
        "/socket.io/",
        Service.ASR,
        "asr:infer",
        BodyBound.AUDIO,
        transport=Transport.SOCKET_IO,
    )
    operation = stream_operation("POST", polled.transport)
    describe_answers(operation, Nature.of(polled))
    answers = operation["responses"]
    assert answers["400"]["content"].keys() == {"text/plain", "application/problem+json"}
    assert answers.keys().isdisjoint({"101", "415", "422", "426"})


def test_a_path_without_a_key_may_refuse_a_malformed_head() -> None:
    operation: dict[str, Any] = {"responses": {"200": {"description": "ok"}}}
    describe_open(operation)
    assert operation["responses"].keys() == {"200", "400"}


async def test_names_are_unique_and_unused_schemas_are_left_out() -> None:
    routes = [
        Route("POST", path, Service.TTS, "tts:infer", BodyBound.SMALL)
        for path in ("/speak", "/api/v1/speak")
    ]
    schema = {"$ref": "#/components/schemas/Used"}
    operation = {
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": "ok"}},
    }

    async def fetch(_: Service) -> dict[str, Any]:
        schemas = {
            "Used": {"properties": {"part": {"$ref": "#/components/schemas/Part"}}},
            "Part": {"type": "string"},
            "HTTPValidationError": {"type": "object"},
        }
        paths = {route.template: {"post": operation} for route in routes}
        return {"paths": paths, "components": {"schemas": schemas}}

    own: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "t"}, "paths": {}}
    merged = await ApiDocument(lambda: own, fetch, routes).get()
    named = {merged["paths"][route.template]["post"]["operationId"] for route in routes}
    assert named == {"post_speak", "post_alias_speak"}
    known = {"Used", "Part", "Problem", "OpenAiError", "UlcaError"}
    assert merged["components"]["schemas"].keys() == known
