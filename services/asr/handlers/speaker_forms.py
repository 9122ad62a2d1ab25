"""Multipart forms with a recording and a few fields."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel

from services.asr.handlers.common import service_of
from services.asr.handlers.upload import FILE, read_upload
from services.asr.models.audio import AudioSource
from shared.openapi import validate
from shared.problem import InvalidField

Form = TypeVar("Form", bound=BaseModel)
_MAX_FIELDS = 24
_MAX_FIELD_BYTES = 8192


@asynccontextmanager
async def recording_form(
    request: Request, schema: type[Form]
) -> AsyncIterator[tuple[Form, AudioSource]]:
    """The fields and the file of a form, until the block ends.

    Raises:
        SpeechgateError: The form is malformed, or does not fit the schema.
    """
    scratch = service_of(request).intake.scratch
    bounds = {"max_fields": _MAX_FIELDS, "max_field_bytes": _MAX_FIELD_BYTES}
    async with read_upload(request, scratch, **bounds) as upload:
        fields: dict[str, Any] = {}
        for name, text in upload.fields:
            if name in fields:
                raise InvalidField("The field is given twice.", pointer=f"/{name}"[:64])
            fields[name] = text
        yield validate(schema, fields), AudioSource(file=upload.file)


def form_docs(schema: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads such a form."""
    document = schema.model_json_schema(ref_template="#/components/schemas/{model}")
    document["properties"][FILE] = {"type": "string", "format": "binary"}
    document["required"] = [*document.get("required", []), FILE]
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": document}}}
    }
