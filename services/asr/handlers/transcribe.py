"""`POST /api/v1/asr/transcribe`: recognition of an uploaded file."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.asr.handlers.common import answered, sender, service_of
from services.asr.handlers.diarization import require_right
from services.asr.handlers.upload import read_upload
from services.asr.models.audio import AudioSource
from services.asr.schemas.answer import AsrAnswer
from services.asr.schemas.form import TranscribeForm, multipart_docs
from shared.asgi.disconnect import until_disconnect
from shared.openapi import validate
from shared.problem import InvalidField

router = APIRouter(tags=["asr"])
PATH = "/api/v1/asr/transcribe"
_MAX_FIELDS = 128
_MAX_FIELD_BYTES = 256 << 10
_LISTS = frozenset({"post_processors", "boost"})


@router.post(
    PATH,
    summary="Recognize an uploaded file",
    response_model=AsrAnswer,
    openapi_extra=multipart_docs(),
)
async def transcribe(request: Request) -> Response:
    """Recognize one recording of at most an hour."""
    caller, service = sender(request), service_of(request)
    async with read_upload(
        request,
        service.intake.scratch,
        max_fields=_MAX_FIELDS,
        max_field_bytes=_MAX_FIELD_BYTES,
    ) as upload:
        fields = validate(TranscribeForm, _fields(upload.fields))
        config = fields.model_dump(mode="json", exclude={"reference"}, exclude_unset=True)
        options = fields.options()
        require_right(request, options.diarization)
        sources = [AudioSource(file=upload.file)]
        work = service.transcribe(sources, options, caller)
        answer = await until_disconnect(request, work)
    return answered(AsrAnswer.of(answer, config, fields.transcription_format), answer.used)


def _fields(given: list[tuple[str, str | None]]) -> dict[str, Any]:
    """The fields by name; a file under another name is an unknown field."""
    fields: dict[str, Any] = {}
    for name, text in given:
        if name in _LISTS:
            fields.setdefault(name, []).append(text)
        elif name in fields:
            raise InvalidField("The field is given twice.", pointer=f"/{name}"[:64])
        else:
            fields[name] = text
    return fields
