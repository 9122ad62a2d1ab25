"""OpenAI's multipart forms: field names with a literal `[]`, and members in brackets."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel

from services.asr.handlers.common import service_of
from services.asr.handlers.upload import read_upload
from services.asr.models.audio import AudioSource
from shared.openapi import validate
from shared.problem import InvalidField

Form = TypeVar("Form", bound=BaseModel)
_MAX_FIELDS = 256
# A reference recording of a speaker is a data URL in a field.
_MAX_FIELD_BYTES = 16 << 20
_LISTS = frozenset(
    {
        "timestamp_granularities",
        "include",
        "known_speaker_names",
        "known_speaker_references",
        "keywords",
        "languages",
    }
)
_MEMBER = re.compile(r"(?P<name>[a-z_]{1,32})\[(?P<member>[a-z_]{1,32})\]")


@asynccontextmanager
async def read_form(
    request: Request, form: type[Form]
) -> AsyncIterator[tuple[Form, list[AudioSource]]]:
    """The fields, and the file, which is closed when the block ends.

    Raises:
        UnsupportedMedia: It is no multipart form.
        ValidationFailed: A field is wrong, or unknown.
        InvalidField: The file is missing, or a field is given twice.
    """
    async with read_upload(
        request,
        service_of(request).intake.scratch,
        max_fields=_MAX_FIELDS,
        max_field_bytes=_MAX_FIELD_BYTES,
    ) as upload:
        fields = validate(form, _fields(upload.fields))
        yield fields, [AudioSource(file=upload.file)]


def _fields(given: Sequence[tuple[str, str | None]]) -> dict[str, Any]:
    """The fields by name; a file under another name is an unknown field."""
    fields: dict[str, Any] = {}
    for written, text in given:
        name = written.removesuffix("[]")
        inner = _MEMBER.fullmatch(written)
        if name in _LISTS:
            fields.setdefault(name, []).append(text)
        elif inner is not None and isinstance(fields.setdefault(inner["name"], {}), dict):
            fields[inner["name"]][inner["member"]] = text
        elif written in fields:
            raise InvalidField("The field is given twice.", pointer=f"/{written}"[:64])
        else:
            fields[written] = text
    return fields
