"""`POST /api/v1/asr/inference`: recognition by the ULCA body."""

from fastapi import APIRouter, Request, Response

from services.asr.handlers.common import (
    answered,
    from_base64,
    sender,
    service_of,
)
from services.asr.models.audio import AudioSource
from services.asr.schemas.answer import AsrAnswer
from services.asr.schemas.ulca import AsrInferenceBody
from shared.asgi.disconnect import until_disconnect
from shared.jsonbody import parse_json_object
from shared.openapi import json_body_docs, validate
from shared.problem import SpeechgateError

router = APIRouter(tags=["asr"])


@router.post(
    "/api/v1/asr/inference",
    summary="Recognize speech (ULCA body)",
    response_model=AsrAnswer,
    openapi_extra=json_body_docs(AsrInferenceBody),
)
async def inference(request: Request) -> Response:
    """Recognize up to 16 recordings, together at most 10 minutes long."""
    caller = sender(request)
    body = await _read(request)
    options, wanted = body.options(), body.config.written_as
    config = body.config.model_dump(mode="json", by_alias=True, exclude_unset=True)
    sources = await _sources(body)
    del body  # The base64 text is not needed while the audio is recognized.
    work = service_of(request).transcribe(sources, options, caller)
    answer = await until_disconnect(request, work)
    return answered(AsrAnswer.of(answer, config, wanted), answer.used)


async def _read(request: Request) -> AsrInferenceBody:
    """The body; unlike `Request.body`, this keeps no copy for the life of the request."""
    parts = [part async for part in request.stream()]
    return validate(AsrInferenceBody, parse_json_object(b"".join(parts)))


async def _sources(body: AsrInferenceBody) -> list[AudioSource]:
    sources: list[AudioSource] = []
    for index, item in enumerate(body.audio):
        if item.audio_content is None:
            sources.append(AudioSource(uri=item.audio_uri))
            continue
        try:
            sources.append(AudioSource(content=await from_base64(item.audio_content)))
        except SpeechgateError as error:
            pointer = f"/audio/{index}/audioContent"
            error.members["errors"] = [{"pointer": pointer, "detail": error.detail}]
            raise
    return sources
