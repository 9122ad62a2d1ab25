"""`POST /api/v1/asr/inference`: recognition by the ULCA body."""

from fastapi import APIRouter, Request, Response

from services.asr.handlers.common import answered, sender, service_of
from services.asr.handlers.diarization import require_right
from services.asr.handlers.ulca_body import audio_sources, read_body
from services.asr.schemas.answer import AsrAnswer
from services.asr.schemas.ulca import AsrInferenceBody
from shared.asgi.disconnect import until_disconnect
from shared.openapi import json_body_docs

router = APIRouter(tags=["asr"])


@router.post(
    "/api/v1/asr/inference",
    summary="Recognize speech (ULCA body)",
    response_model=AsrAnswer,
    openapi_extra=json_body_docs(AsrInferenceBody),
)
async def inference(request: Request) -> Response:
    """Recognize up to 16 recordings, together at most an hour long."""
    caller = sender(request)
    body = await read_body(request, AsrInferenceBody)
    options, wanted = body.options(), body.config.written_as
    require_right(request, options.diarization)
    config = body.config.model_dump(mode="json", by_alias=True, exclude_unset=True)
    sources = await audio_sources(body.audio)
    del body  # The base64 text is not needed while the audio is recognized.
    work = service_of(request).transcribe(sources, options, caller)
    answer = await until_disconnect(request, work)
    return answered(AsrAnswer.of(answer, config, wanted), answer.used)
