"""One error, three shapes."""

import json

import pytest

from shared.dialects import Dialect, dialect_of, wire_error
from shared.problem import (
    BadRequest,
    InvalidField,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    SpeechgateError,
    Unauthenticated,
    Unavailable,
)

OPENAI, ULCA, NATIVE = "/v1/audio/transcriptions", "/services/inference/asr", "/api/v1/asr/vad"


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        (OPENAI, Dialect.OPENAI),
        ("/v1/", Dialect.OPENAI),
        ("/v1", Dialect.NATIVE),
        ("/v10/audio", Dialect.NATIVE),
        (ULCA, Dialect.ULCA),
        ("/services/inference", Dialect.NATIVE),
        (NATIVE, Dialect.NATIVE),
        ("/", Dialect.NATIVE),
    ],
)
def test_the_path_decides(path: str, dialect: Dialect) -> None:
    assert dialect_of(path) is dialect


@pytest.mark.parametrize(
    ("error", "status", "kind", "param", "code"),
    [
        (Unauthenticated("No key."), 401, "invalid_request_error", None, "invalid_api_key"),
        (NotFound("Nothing."), 404, "invalid_request_error", None, "not_found"),
        (PayloadTooLarge("Large."), 413, "invalid_request_error", None, "payload_too_large"),
        (RateLimited("Slow down."), 429, "requests", None, "rate_limit_exceeded"),
        (Unavailable("Down.", code="asr_saturated"), 503, "server_error", None, "asr_saturated"),
        (SpeechgateError("Ours."), 500, "server_error", None, "internal_error"),
        (
            InvalidField("No model.", pointer="/config/serviceId", code="unknown_model"),
            404,
            "invalid_request_error",
            "model",
            "model_not_found",
        ),
        (
            InvalidField("No.", pointer="/audio/0", code="not_audio"),
            400,
            "invalid_request_error",
            "file",
            "not_audio",
        ),
    ],
)
def test_openai(
    error: SpeechgateError, status: int, kind: str, param: str | None, code: str
) -> None:
    wire = wire_error(error, path=OPENAI, request_id="r")
    assert (wire.status, wire.media_type) == (status, "application/json")
    assert json.loads(wire.body) == {
        "error": {"message": error.detail, "type": kind, "param": param, "code": code}
    }


def test_ulca() -> None:
    wire = wire_error(NotFound("Nothing."), path=ULCA, request_id="r")
    assert wire.status == 404
    assert json.loads(wire.body) == {"detail": {"kind": "not_found", "message": "Nothing."}}


def test_the_native_shape_is_a_problem_document() -> None:
    wire = wire_error(NotFound("Nothing."), path=NATIVE, request_id="r")
    assert wire.media_type == "application/problem+json"
    document = json.loads(wire.body)
    assert (document["instance"], document["request_id"]) == (NATIVE, "r")


@pytest.mark.parametrize(
    ("pointer", "message"),
    [("/temperature", "Bad. temperature: too hot"), ("/", "Bad. too hot")],
)
def test_the_first_place_is_told(pointer: str, message: str) -> None:
    error = BadRequest("Bad.", members={"errors": [{"pointer": pointer, "detail": "too hot"}]})
    for path, member in ((OPENAI, "error"), (ULCA, "detail")):
        document = json.loads(wire_error(error, path=path, request_id="").body)
        assert document[member]["message"] == message
