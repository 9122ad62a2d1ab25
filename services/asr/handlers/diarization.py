"""`POST /api/v1/asr/diarization/inference`, and the same at `/services/inference/diarization`."""

from fastapi import APIRouter, Request, Response

from services.asr.handlers.common import sender
from services.asr.handlers.ulca_body import audio_sources, read_body
from services.asr.models.speakers import DiarizationOptions
from services.asr.schemas.speakers import DiarizationAnswer, DiarizationBody
from services.asr.services.diarization_service import DiarizationService
from shared.asgi.caller import caller_with
from shared.asgi.disconnect import until_disconnect
from shared.openapi import json_body_docs

router = APIRouter(tags=["speakers"])
PATH, ULCA_PATH = "/api/v1/asr/diarization/inference", "/services/inference/diarization"
_finder = caller_with("speakers:read")


def require_right(request: Request, options: DiarizationOptions | None) -> None:
    """Refuse a request for known speakers without the scope for it.

    Raises:
        Forbidden: Code `scope_missing`.
    """
    if options is not None and options.identify:
        _finder(request)


@router.post(
    ULCA_PATH,
    summary="Tell speakers apart (ULCA path)",
    response_model=DiarizationAnswer,
    openapi_extra=json_body_docs(DiarizationBody),
)
@router.post(
    PATH,
    summary="Tell speakers apart",
    response_model=DiarizationAnswer,
    openapi_extra=json_body_docs(DiarizationBody),
)
async def diarization(request: Request) -> Response:
    """Who spoke when in one recording; nothing is stored."""
    caller = sender(request)
    body = await read_body(request, DiarizationBody)
    options, reading = body.config.diarization(), body.config.reading()
    require_right(request, options)
    (source,) = await audio_sources(body.audio)
    del body
    service: DiarizationService = request.state.context.diarization
    work = service.diarize(source, reading, options, caller.tenant_id)
    answer = DiarizationAnswer.of(await until_disconnect(request, work))
    return Response(answer.model_dump_json(exclude_none=True), media_type="application/json")
