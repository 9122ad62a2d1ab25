"""JSON answers by orjson: several times faster than the framework's own on long base64."""

import orjson
from pydantic import BaseModel
from starlette.responses import Response


def json_response(model: BaseModel) -> Response:
    """The model as `application/json`."""
    return Response(orjson.dumps(model.model_dump()), media_type="application/json")
