"""JSON bodies that are parsed strictly and still documented in the OpenAPI page."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ValidationError
from starlette.routing import BaseRoute

from shared.jsonbody import parse_json_object
from shared.problem import BadRequest, validation_errors

Model = TypeVar("Model", bound=BaseModel)
_COMPONENTS = "#/components/schemas/{model}"


class ValidationFailed(BadRequest):
    """The document does not fit the schema; `errors` says where."""

    status = 422
    title = "Unprocessable content"
    default_code = "validation_failed"


def validate(model: type[Model], document: dict[str, Any]) -> Model:
    """The document as a model.

    Raises:
        ValidationFailed: With a JSON pointer for each member that is wrong.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise ValidationFailed(
            "The request does not fit the schema.",
            members={"errors": validation_errors(error.errors(include_input=False))},
        ) from error


def json_body(model: type[Model]) -> Callable[[Request], Awaitable[Model]]:
    """A dependency that reads the body by `parse_json_object` and validates it.

    FastAPI's own body parameters accept what no body may hold: duplicates, NaN, any depth.
    """

    async def read(request: Request) -> Model:
        return validate(model, parse_json_object(await request.body()))

    return read


def json_body_docs(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` for a route that uses `json_body`."""
    schema = model.model_json_schema(ref_template=_COMPONENTS)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def build_document(title: str, version: str, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI document, nested definitions of `json_body_docs` moved into its components."""
    document = get_openapi(title=title, version=version, routes=routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for operations in document["paths"].values():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {})
            for media in content.values():
                schemas.update(media.get("schema", {}).pop("$defs", {}))
    return document


def install_openapi(app: FastAPI) -> None:
    """Let `app.openapi()` be `build_document`."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build_document(app.title, app.version, app.routes)
        return app.openapi_schema

    app.openapi = build  # type: ignore[method-assign] # FastAPI's documented way to extend it
