"""`/api/v1/tts/lexicon`: how the caller's tenant wants words to be spoken."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.tts.schemas.lexicon import (
    EntryLanguage,
    LexiconEntryAnswer,
    LexiconPageAnswer,
    SpellingBody,
)
from services.tts.services.lexicon import LexiconService
from shared.asgi.caller import caller_with
from shared.asgi.json import json_response
from shared.caller import Caller
from shared.openapi import json_body, json_body_docs

router = APIRouter(tags=["lexicon"])
LEXICON = "/api/v1/tts/lexicon"
_ENTRY = f"{LEXICON}/{{id}}"
_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"description": "The lexicon has an entry for this phrase, or is full."}
}
Reader = Annotated[Caller, Depends(caller_with("tts:read"))]
# An entry changes how the whole organization sounds: more than a key that only speaks may do.
Writer = Annotated[Caller, Depends(caller_with("organization:write"))]
Id = Annotated[str, Path(alias="id", max_length=64)]
Body = Annotated[SpellingBody, Depends(json_body(SpellingBody))]
Limit = Annotated[int, Query(ge=1, le=200, description="Items on the page")]
Cursor = Annotated[
    str | None, Query(pattern=r"^[0-9a-f]{32}$", description="`next` of the page before")
]
Language = Annotated[
    EntryLanguage | None, Query(description="Only entries of this language, ISO 639")
]


@router.get(LEXICON, summary="Entries of the lexicon", response_model=LexiconPageAnswer)
async def list_entries(
    request: Request,
    caller: Reader,
    limit: Limit = 50,
    cursor: Cursor = None,
    language: Language = None,
) -> Response:
    """Newest first."""
    page = await _service(request).list(caller, limit, cursor, language)
    return json_response(LexiconPageAnswer.of(page))


@router.post(
    LEXICON,
    summary="Add an entry to the lexicon",
    status_code=201,
    response_model=LexiconEntryAnswer,
    responses=_CONFLICT,
    openapi_extra=json_body_docs(SpellingBody),
)
async def create_entry(request: Request, caller: Writer, body: Body) -> Response:
    """A phrase, and how it is spoken from now on."""
    made = await _service(request).create(caller, body.spelling())
    response = json_response(LexiconEntryAnswer.of(made))
    response.status_code = 201
    return response


@router.get(_ENTRY, summary="An entry of the lexicon", response_model=LexiconEntryAnswer)
async def get_entry(request: Request, caller: Reader, entry_id: Id) -> Response:
    """Of the caller's tenant."""
    return json_response(LexiconEntryAnswer.of(await _service(request).get(caller, entry_id)))


@router.put(
    _ENTRY,
    summary="Replace an entry of the lexicon",
    response_model=LexiconEntryAnswer,
    responses=_CONFLICT,
    openapi_extra=json_body_docs(SpellingBody),
)
async def replace_entry(request: Request, caller: Writer, entry_id: Id, body: Body) -> Response:
    """All of it."""
    made = await _service(request).replace(caller, entry_id, body.spelling())
    return json_response(LexiconEntryAnswer.of(made))


@router.delete(_ENTRY, summary="Delete an entry of the lexicon", status_code=204)
async def delete_entry(request: Request, caller: Writer, entry_id: Id) -> None:
    """The phrase is spoken as it is written again."""
    await _service(request).delete(caller, entry_id)


def _service(request: Request) -> LexiconService:
    # The lifespan's context; importing its type would point up a layer.
    service: LexiconService = request.state.context.lexicon
    return service
