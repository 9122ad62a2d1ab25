"""`POST /api/v1/asr/vad`, and the same at `/services/inference/vad`: where speech is."""

from fastapi import APIRouter, Request, Response

from services.asr.handlers.common import sender
from services.asr.handlers.ulca_body import audio_sources, read_body
from services.asr.schemas.vad import VadAnswer, VadBody
from services.asr.services.vad_service import VadService
from shared.asgi.disconnect import until_disconnect
from shared.openapi import json_body_docs

router = APIRouter(tags=["asr"])


@router.post(
    "/services/inference/vad",
    summary="Find speech (ULCA path)",
    response_model=VadAnswer,
    openapi_extra=json_body_docs(VadBody),
)
@router.post(
    "/api/v1/asr/vad",
    summary="Find speech",
    response_model=VadAnswer,
    openapi_extra=json_body_docs(VadBody),
)
async def vad(request: Request) -> Response:
    """Where speech is in up to 16 recordings; nothing is stored."""
    sender(request)
    body = await read_body(request, VadBody)
    options, reading = body.config.options(), body.config.reading()
    config = body.config.model_dump(mode="json", by_alias=True, exclude_unset=True)
    sources = await audio_sources(body.audio)
    del body
    service: VadService = request.state.context.vad
    found = await until_disconnect(request, service.detect(sources, reading, options))
    answer = VadAnswer.of(found, config)
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")
