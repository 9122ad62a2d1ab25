"""`/api/v1/asr/calls`: recorded calls, for the gateway's own routes; none of them is public."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from services.asr.handlers.common import from_base64, service_of
from services.asr.handlers.upload import read_upload
from services.asr.models.audio import AudioSource
from services.asr.schemas.calls import CallAnswer, CallBody, CallFields
from services.asr.services.calls import CallService
from services.asr.services.recordings import RecordingService, ReplayOrder
from shared.asgi.caller import caller_with
from shared.asgi.disconnect import until_disconnect
from shared.audio.encode import CODECS, MAX_RATE, MIN_RATE, OutputFormat, available_formats
from shared.jsonbody import parse_json_object
from shared.openapi import json_body_docs, validate
from shared.problem import InvalidField
from shared.serving import USED_HEADER

router = APIRouter(tags=["calls"])
PATH = "/api/v1/asr/calls"
JSON_PATH, _CALL = f"{PATH}/inference", f"{PATH}/{{id}}"
_MAX_FIELDS = 128
_MAX_FIELD_BYTES = 64 << 10
_LISTS = frozenset({"post_processors", "boost"})
reader, writer = caller_with("calls:read"), caller_with("calls:write")
Id = Annotated[str, Path(alias="id", max_length=64)]
Words = Annotated[bool, Query(description="Tell every word with its times")]


@router.post(PATH, summary="Recognize a call (form)", response_model=CallAnswer)
async def transcribe(request: Request) -> Response:
    """Recognize an uploaded call; its fields come before or after the file."""
    caller = writer(request)
    async with read_upload(
        request,
        service_of(request).intake.scratch,
        max_fields=_MAX_FIELDS,
        max_field_bytes=_MAX_FIELD_BYTES,
    ) as upload:
        fields = validate(CallFields, _by_name(upload.fields))
        source = AudioSource(file=upload.file)
        return await _recognized(request, caller, fields, source)


@router.post(
    JSON_PATH,
    summary="Recognize a call (JSON)",
    response_model=CallAnswer,
    openapi_extra=json_body_docs(CallBody),
)
async def transcribe_json(request: Request) -> Response:
    """Recognize a call whose recording is in the body, or at an address."""
    caller = writer(request)
    parts = [part async for part in request.stream()]
    body = validate(CallBody, parse_json_object(b"".join(parts)))
    parts.clear()
    if body.audio_content is None:
        source = AudioSource(uri=body.audio_uri)
    else:
        source = AudioSource(content=await from_base64(body.audio_content))
    fields = body.model_copy(update={"audio_content": None})
    del body  # The base64 text is not needed while the audio is recognized.
    return await _recognized(request, caller, fields, source)


@router.get(_CALL, summary="A recognized call", response_model=CallAnswer)
async def stored_call(request: Request, call_id: Id, *, words: Words = False) -> Response:
    """The caller's own tenant's calls only; any other is not found."""
    call = await _service(request).stored(reader(request).tenant_id, call_id)
    return _answer(CallAnswer.of(call, words=words))


@router.delete(_CALL, summary="Delete a call's transcript and recording", status_code=204)
async def delete_call(request: Request, call_id: Id) -> None:
    """For good."""
    await _service(request).delete(writer(request).tenant_id, call_id)


@router.post(f"{_CALL}/replay", summary="What is spoken, and a clip of the call")
async def replay(
    request: Request,
    call_id: Id,
    start: Annotated[float, Query(ge=0, allow_inf_nan=False)],
    end: Annotated[float, Query(ge=0, allow_inf_nan=False)],
    pause: Annotated[float, Query(ge=0, le=5, allow_inf_nan=False)] = 0.5,
    audio_format: OutputFormat = OutputFormat.WAV,
    sampling_rate: Annotated[int | None, Query(ge=MIN_RATE, le=MAX_RATE)] = None,
) -> Response:
    """The body is a file with what is spoken before the clip."""
    caller = reader(request)
    if audio_format not in available_formats():
        raise InvalidField(
            "This installation does not write the format.",
            pointer="/audio_format",
            code="unsupported_audio_format",
        )
    service: RecordingService = request.state.context.calls.recordings
    with service_of(request).intake.scratch.file() as file:
        async for part in request.stream():
            file.append(part)
        order = ReplayOrder(start, end, pause, audio_format, sampling_rate)
        work = service.replay(caller.tenant_id, call_id, AudioSource(file=file), order)
        content, rate = await until_disconnect(request, work)
    media_type = CODECS[audio_format].media_type
    if audio_format is OutputFormat.PCM:  # Nothing else would tell its rate.
        media_type = f"{media_type};rate={rate};channels=1"
    return Response(content, media_type=media_type)


async def _recognized(
    request: Request, caller: Any, fields: CallFields, source: AudioSource
) -> Response:
    work = _service(request).transcribe(source, fields.options(), caller, keep=fields.keeps)
    call = await until_disconnect(request, work)
    answer = _answer(CallAnswer.of(call, words=fields.words, fields=fields))
    answer.headers[USED_HEADER] = call.used
    return answer


def _answer(answer: CallAnswer) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")


def _service(request: Request) -> CallService:
    service: CallService = request.state.context.calls
    return service


def _by_name(given: list[tuple[str, str | None]]) -> dict[str, Any]:
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
