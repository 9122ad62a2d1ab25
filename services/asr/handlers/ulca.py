"""`POST /services/inference/asr`: recognition as Dhruva's clients ask for it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.asr.handlers.common import sender, service_of
from services.asr.handlers.diarization import require_right
from services.asr.handlers.ulca_body import audio_sources, read_body
from services.asr.schemas.answer import AsrAnswer
from services.asr.schemas.ulca import AsrInferenceBody
from services.asr.schemas.ulca_answer import UlcaAnswer, UlcaTranscript
from shared.asgi.disconnect import until_disconnect
from shared.openapi import json_body_docs
from shared.serving import USED_HEADER

router = APIRouter(tags=["asr"])


@router.post(
    "/services/inference/asr",
    summary="Recognize speech (ULCA path and answer)",
    response_model=UlcaAnswer,
    openapi_extra=json_body_docs(AsrInferenceBody),
)
async def ulca_inference(
    request: Request,
    service_id: Annotated[str | None, Query(alias="serviceId", max_length=128)] = None,
) -> Response:
    """Recognize up to 16 recordings; a `serviceId` in the URL goes before the body's."""
    caller = sender(request)
    body = await read_body(request, AsrInferenceBody)
    if service_id:
        config = body.config.model_copy(update={"service_id": service_id})
        body = body.model_copy(update={"config": config})
    options, wanted = body.options(), body.config.written_as
    require_right(request, options.diarization)
    said = body.config.model_dump(mode="json", by_alias=True, exclude_unset=True)
    sources = await audio_sources(body.audio)
    del body
    work = service_of(request).transcribe(sources, options, caller)
    answer = await until_disconnect(request, work)
    native = AsrAnswer.of(answer, said, wanted)
    output = [
        UlcaTranscript(source=one.source, n_best_tokens=one.n_best_tokens) for one in native.output
    ]
    return Response(
        UlcaAnswer(output=output, config=said).model_dump_json(by_alias=True, exclude_none=True),
        headers={USED_HEADER: answer.used},
        media_type="application/json",
    )
