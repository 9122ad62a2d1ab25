"""Errors on the wire: one document in the path's dialect, whichever layer raised the error."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import Scope, Send

from shared.dialects import wire_error
from shared.problem import BadRequest, SpeechgateError, validation_errors

_HTTP_CODES: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "Bad request"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
}


class _FrameworkError(SpeechgateError):
    """An error that the framework raised, in our own shape."""

    def __init__(self, status: int, headers: Mapping[str, str] | None) -> None:
        code, self.title = _HTTP_CODES.get(status, ("http_error", "HTTP error"))
        self.status = status
        super().__init__(f"{self.title}.", code=code, headers=headers)


class _Unprocessable(BadRequest):
    status = 422
    title = "Unprocessable content"
    default_code = "validation_failed"


def problem_response(scope: Scope, error: SpeechgateError) -> Response:
    """The error as a response; `application/problem+json` where the dialect is the native one."""
    context = scope.get("state", {}).get("request_context")
    wire = wire_error(error, path=scope["path"], request_id=context.request_id if context else "")
    return Response(wire.body, wire.status, error.headers, wire.media_type)


async def send_problem(scope: Scope, send: Send, error: SpeechgateError) -> None:
    """Answer with the error from a layer that has no response object."""
    response = problem_response(scope, error)
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": [*response.raw_headers, (b"connection", b"close")],
        }
    )
    await send({"type": "http.response.body", "body": bytes(response.body)})


def install_error_handlers(app: FastAPI) -> None:
    """Map domain errors, validation errors and the framework's own to problem documents."""

    @app.exception_handler(SpeechgateError)
    async def domain(request: Request, error: SpeechgateError) -> Response:
        return problem_response(request.scope, error)

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: RequestValidationError) -> Response:
        members = {"errors": validation_errors(error.errors())}
        problem = _Unprocessable("The request does not fit the schema.", members=members)
        return problem_response(request.scope, problem)

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        problem = _FrameworkError(error.status_code, error.headers)
        return problem_response(request.scope, problem)
