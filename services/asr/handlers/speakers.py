"""`/api/v1/asr/speakers`: the known speakers of the caller's tenant."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.asr.handlers.speaker_forms import form_docs, recording_form
from services.asr.schemas.speakers import (
    EnrolledOut,
    IdentifyAnswer,
    IdentifyForm,
    KnownSpeakerOut,
    MergeBody,
    NewSpeakerForm,
    RecordingForm,
    RenameBody,
    SpeakerPageOut,
    SplitBody,
)
from services.asr.services.speakers import SpeakerService
from shared.asgi.caller import caller_with
from shared.asgi.disconnect import until_disconnect
from shared.asgi.json import json_response
from shared.openapi import json_body, json_body_docs

router = APIRouter(tags=["speakers"])
SPEAKERS = "/api/v1/asr/speakers"
_SPEAKER, _PROTOTYPES = f"{SPEAKERS}/{{id}}", f"{SPEAKERS}/{{id}}/prototypes"
_FULL: dict[int | str, dict[str, Any]] = {
    409: {"description": "There are as many speakers, or recordings of one, as are kept."}
}
_LAST: dict[int | str, dict[str, Any]] = {409: {"description": "A speaker keeps one recording."}}
reader, writer = caller_with("speakers:read"), caller_with("speakers:write")
Id = Annotated[str, Path(alias="id", max_length=64)]
PrototypeId = Annotated[str, Path(alias="prototype_id", max_length=64)]
Limit = Annotated[int, Query(ge=1, le=200, description="Items on the page")]
Cursor = Annotated[
    str | None, Query(pattern=r"^[0-9a-f]{32}$", description="`next` of the page before")
]


@router.post(
    SPEAKERS,
    summary="Make a known speaker from a recording",
    status_code=201,
    response_model=KnownSpeakerOut,
    responses=_FULL,
    openapi_extra=form_docs(NewSpeakerForm),
)
async def create_speaker(request: Request) -> Response:
    """The voice of a recording with at least 3 s of one speaker's speech, by consent."""
    caller = writer(request)
    async with recording_form(request, NewSpeakerForm) as (form, source):
        work = _service(request).create(
            caller, form.name, source, form.reading(), consent=form.consent
        )
        made = await until_disconnect(request, work)
    return _created(json_response(KnownSpeakerOut.of(made)))


@router.get(SPEAKERS, summary="Known speakers", response_model=SpeakerPageOut)
async def list_speakers(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Newest first."""
    page = await _service(request).list(reader(request), limit, cursor)
    return json_response(SpeakerPageOut.of(page))


@router.post(
    f"{SPEAKERS}/identify",
    summary="Recognize the known speakers of a recording",
    response_model=IdentifyAnswer,
    openapi_extra=form_docs(IdentifyForm),
)
async def identify_speakers(request: Request) -> Response:
    """Each speaker of the recording with the known one it is, or none; nothing is stored."""
    caller = reader(request)
    async with recording_form(request, IdentifyForm) as (form, source):
        options = form.model_copy(update={"identify_speakers": True}).diarization()
        work = _service(request).identify(caller, source, form.reading(), options)
        found = await until_disconnect(request, work)
    return json_response(IdentifyAnswer.of(found))


@router.get(_SPEAKER, summary="A known speaker", response_model=KnownSpeakerOut)
async def get_speaker(request: Request, speaker_id: Id) -> Response:
    """With the prototypes."""
    found = await _service(request).get(reader(request), speaker_id)
    return json_response(KnownSpeakerOut.of(found))


@router.patch(
    _SPEAKER,
    summary="Rename a known speaker",
    response_model=KnownSpeakerOut,
    openapi_extra=json_body_docs(RenameBody),
)
async def rename_speaker(
    request: Request, speaker_id: Id, body: Annotated[RenameBody, Depends(json_body(RenameBody))]
) -> Response:
    """Only the name can change."""
    found = await _service(request).rename(writer(request), speaker_id, body.name)
    return json_response(KnownSpeakerOut.of(found))


@router.delete(_SPEAKER, summary="Delete a known speaker", status_code=204)
async def delete_speaker(request: Request, speaker_id: Id) -> None:
    """With all voices; nothing of them stays."""
    await _service(request).delete(writer(request), speaker_id)


@router.post(
    _PROTOTYPES,
    summary="Add a recording to a known speaker",
    status_code=201,
    response_model=EnrolledOut,
    responses=_FULL,
    openapi_extra=form_docs(RecordingForm),
)
async def add_prototype(request: Request, speaker_id: Id) -> Response:
    """Another room, another telephone, another mood: the nearest recording counts."""
    caller = writer(request)
    async with recording_form(request, RecordingForm) as (form, source):
        work = _service(request).add_prototype(caller, speaker_id, source, form.reading())
        found = await until_disconnect(request, work)
    return _created(json_response(EnrolledOut.from_enrolment(found)))


@router.delete(
    f"{_PROTOTYPES}/{{prototype_id}}",
    summary="Delete a recording's voice of a known speaker",
    status_code=204,
    responses=_LAST,
)
async def delete_prototype(request: Request, speaker_id: Id, prototype_id: PrototypeId) -> None:
    """All but the last one."""
    await _service(request).delete_prototype(writer(request), speaker_id, prototype_id)


@router.post(
    f"{_SPEAKER}/merge",
    summary="Merge another known speaker into this one",
    response_model=KnownSpeakerOut,
    responses=_FULL,
    openapi_extra=json_body_docs(MergeBody),
)
async def merge_speakers(
    request: Request, speaker_id: Id, body: Annotated[MergeBody, Depends(json_body(MergeBody))]
) -> Response:
    """The other one's prototypes become this one's, and the other one is deleted."""
    found = await _service(request).merge(writer(request), speaker_id, body.other)
    return json_response(KnownSpeakerOut.of(found))


@router.post(
    f"{_SPEAKER}/split",
    summary="Make another known speaker of some recordings of this one",
    status_code=201,
    response_model=KnownSpeakerOut,
    responses=_FULL | _LAST,
    openapi_extra=json_body_docs(SplitBody),
)
async def split_speaker(
    request: Request, speaker_id: Id, body: Annotated[SplitBody, Depends(json_body(SplitBody))]
) -> Response:
    """The answer is the new speaker."""
    found = await _service(request).split(writer(request), speaker_id, body.prototypes, body.name)
    return _created(json_response(KnownSpeakerOut.of(found)))


def _service(request: Request) -> SpeakerService:
    # The lifespan's context; importing its type would point up a layer.
    service: SpeakerService = request.state.context.speakers
    return service


def _created(response: Response) -> Response:
    response.status_code = 201
    return response
