"""`/api/v1/nmt/glossaries`: how the caller's tenant wants its words translated."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from services.nlp.schemas.glossary import (
    GlossariesAnswer,
    GlossaryAnswer,
    GlossaryChanges,
    GlossaryEntry,
    GlossaryTerms,
    NewGlossary,
)
from services.nlp.services.glossaries import GlossaryService
from shared.asgi.caller import caller_with
from shared.asgi.json import json_response
from shared.caller import Caller
from shared.openapi import json_body, json_body_docs

router = APIRouter(tags=["nmt"])
GLOSSARIES = "/api/v1/nmt/glossaries"
_GLOSSARY = f"{GLOSSARIES}/{{id}}"
_FULL: dict[int | str, dict[str, Any]] = {409: {"description": "The glossary would be too long."}}
_TAKEN: dict[int | str, dict[str, Any]] = {
    409: {"description": "The pair has a glossary, or there are as many as are kept."}
}
Id = Annotated[str, Path(alias="id", max_length=64)]
Reader = Annotated[Caller, Depends(caller_with("nlp:read"))]
Writer = Annotated[Caller, Depends(caller_with("organization:write"))]


@router.post(
    GLOSSARIES,
    summary="Make the glossary of a pair of languages",
    status_code=201,
    response_model=GlossaryAnswer,
    responses=_TAKEN,
    openapi_extra=json_body_docs(NewGlossary),
)
async def create_glossary(
    request: Request,
    caller: Writer,
    body: Annotated[NewGlossary, Depends(json_body(NewGlossary))],
) -> Response:
    """Used in every translation of the pair from now on; each pair has one."""
    made = await _service(request).add(caller, body.pair, body.terms)
    response = json_response(GlossaryAnswer.with_terms(made))
    response.status_code = 201
    return response


@router.get(GLOSSARIES, summary="Glossaries", response_model=GlossariesAnswer)
async def list_glossaries(request: Request, caller: Reader) -> Response:
    """All of the tenant's, by pair, without their terms."""
    found = await _service(request).list(caller)
    return json_response(GlossariesAnswer(glossaries=[GlossaryEntry.of(one) for one in found]))


@router.get(_GLOSSARY, summary="A glossary", response_model=GlossaryAnswer)
async def get_glossary(request: Request, caller: Reader, glossary_id: Id) -> Response:
    """With its terms."""
    found = await _service(request).get(caller, glossary_id)
    return json_response(GlossaryAnswer.with_terms(found))


@router.put(
    _GLOSSARY,
    summary="Replace the terms of a glossary",
    response_model=GlossaryAnswer,
    responses=_FULL,
    openapi_extra=json_body_docs(GlossaryTerms),
)
async def replace_terms(
    request: Request,
    caller: Writer,
    glossary_id: Id,
    body: Annotated[GlossaryTerms, Depends(json_body(GlossaryTerms))],
) -> Response:
    """Terms that are not named go."""
    changed = await _service(request).change(caller, glossary_id, body.terms, replace=True)
    return json_response(GlossaryAnswer.with_terms(changed))


@router.patch(
    _GLOSSARY,
    summary="Change some terms of a glossary",
    response_model=GlossaryAnswer,
    responses=_FULL,
    openapi_extra=json_body_docs(GlossaryChanges),
)
async def change_terms(
    request: Request,
    caller: Writer,
    glossary_id: Id,
    body: Annotated[GlossaryChanges, Depends(json_body(GlossaryChanges))],
) -> Response:
    """Null removes a term; terms that are not named stay."""
    changed = await _service(request).change(caller, glossary_id, body.terms, replace=False)
    return json_response(GlossaryAnswer.with_terms(changed))


@router.delete(_GLOSSARY, summary="Delete a glossary", status_code=204)
async def delete_glossary(request: Request, caller: Writer, glossary_id: Id) -> None:
    """Translations of the pair go without it from now on."""
    await _service(request).delete(caller, glossary_id)


def _service(request: Request) -> GlossaryService:
    # The lifespan's context; importing its type would point up a layer.
    service: GlossaryService = request.state.context.glossaries
    return service
