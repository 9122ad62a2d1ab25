"""`POST /api/v1/asr/transcribe`: recognition of an uploaded file."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData, UploadFile

from services.asr.handlers.common import (
    answered,
    sender,
    service_of,
)
from services.asr.models.audio import AudioSource
from services.asr.schemas.answer import AsrAnswer
from services.asr.schemas.form import TranscribeForm, multipart_docs
from shared.asgi.disconnect import until_disconnect
from shared.openapi import validate
from shared.problem import InvalidField, UnsupportedMedia

router = APIRouter(tags=["asr"])
_FILE = "file"
_MAX_FIELDS = 24
_MAX_FIELD_BYTES = 4096
_LISTS = frozenset({"post_processors"})


@router.post(
    "/api/v1/asr/transcribe",
    summary="Recognize an uploaded file",
    response_model=AsrAnswer,
    openapi_extra=multipart_docs(),
)
async def transcribe(request: Request) -> Response:
    """Recognize one recording of at most 10 minutes."""
    caller = sender(request)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UnsupportedMedia("Send the file as multipart/form-data.")
    async with request.form(
        max_files=1, max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES
    ) as form:
        fields = validate(TranscribeForm, _fields(form))
        upload = form.get(_FILE)
        if not isinstance(upload, UploadFile):
            raise InvalidField("A file is missing.", pointer=f"/{_FILE}", code="file_missing")
        content = await upload.read()
    config = fields.model_dump(mode="json", exclude_unset=True)
    work = service_of(request).transcribe([AudioSource(content=content)], fields.options(), caller)
    del content
    answer = await until_disconnect(request, work)
    return answered(AsrAnswer.of(answer, config, fields.transcription_format), answer.used)


def _fields(form: FormData) -> dict[str, Any]:
    """The text fields; a file under another name is an unknown field."""
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        if name == _FILE:
            continue
        text = value if isinstance(value, str) else None
        if name in _LISTS:
            fields.setdefault(name, []).append(text)
        elif name in fields:
            raise InvalidField("The field is given twice.", pointer=f"/{name}"[:64])
        else:
            fields[name] = text
    return fields
