"""`/api/v1/nlp/conversation/…`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from services.nlp.schemas.conversation import (
    ConversationAnswer,
    ConversationRequest,
    ReplayRequest,
    RulesAnswer,
    StoredConversationAnswer,
)
from services.nlp.services.conversation.document import RulesDocument
from services.nlp.services.conversation_rules import ConversationRules
from services.nlp.services.conversations import ConversationService
from shared.asgi.caller import caller_with
from shared.asgi.disconnect import until_disconnect
from shared.asgi.json import json_response
from shared.caller import Caller
from shared.jsonbody import parse_json_object
from shared.openapi import json_body, json_body_docs

router = APIRouter(tags=["conversation"])
_PATH = "/api/v1/nlp/conversation"
Reader = Annotated[Caller, Depends(caller_with("nlp:read"))]
Id = Annotated[str, Path(alias="id", max_length=64)]


@router.post(
    f"{_PATH}/inference",
    summary="Sentiment, figures and coachable moments of a call",
    response_model=ConversationAnswer,
    openapi_extra=json_body_docs(ConversationRequest),
)
async def infer(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("nlp:infer"))],
    body: Annotated[ConversationRequest, Depends(json_body(ConversationRequest))],
) -> Response:
    """The first moment is the most important one; the same segments and rules give the same."""
    work = _service(request).analyze(caller, body.order())
    return json_response(ConversationAnswer.of(await until_disconnect(request, work)))


@router.get(f"{_PATH}/rules", summary="The rules in force", response_model=RulesAnswer)
async def rules_in_force(request: Request, caller: Reader) -> Response:
    """The tenant's newest version; the product's own where there is none."""
    return json_response(RulesAnswer.of(await _rules(request).in_force(caller.tenant_id)))


@router.put(
    f"{_PATH}/rules",
    summary="Write a new version of the rules",
    response_model=RulesAnswer,
    responses={409: {"description": "As many versions are kept as may be, or two came at once."}},
    openapi_extra=json_body_docs(RulesDocument),
)
async def write_rules(
    request: Request, caller: Annotated[Caller, Depends(caller_with("organization:write"))]
) -> Response:
    """The whole document; it is in force at once, and earlier versions stay as they are."""
    document = parse_json_object(await request.body())
    return json_response(RulesAnswer.of(await _rules(request).put(caller, document)))


@router.get(
    f"{_PATH}/rules/{{version}}", summary="A version of the rules", response_model=RulesAnswer
)
async def rules_version(
    request: Request, caller: Reader, version: Annotated[str, Path(max_length=64)]
) -> Response:
    """As it was written."""
    return json_response(RulesAnswer.of(await _rules(request).get(caller.tenant_id, version)))


@router.get(
    f"{_PATH}/{{id}}", summary="A stored conversation", response_model=StoredConversationAnswer
)
async def read(request: Request, caller: Reader, stored_id: Id) -> Response:
    """The request as it was stored; replay it for its moments."""
    return json_response(
        StoredConversationAnswer.of(await _service(request).stored(caller, stored_id))
    )


@router.post(
    f"{_PATH}/{{id}}/replay",
    summary="Analyze a stored conversation by other rules",
    response_model=ConversationAnswer,
    openapi_extra=json_body_docs(ReplayRequest),
)
async def replay(
    request: Request,
    caller: Reader,
    stored_id: Id,
    body: Annotated[ReplayRequest, Depends(json_body(ReplayRequest))],
) -> Response:
    """The stored segments and their sentiment are used; nothing is stored."""
    work = _service(request).replay(caller, stored_id, body.rules.version)
    return json_response(ConversationAnswer.of(await until_disconnect(request, work)))


def _service(request: Request) -> ConversationService:
    # The lifespan's context; importing its type would point up a layer.
    service: ConversationService = request.state.context.conversations
    return service


def _rules(request: Request) -> ConversationRules:
    rules: ConversationRules = request.state.context.conversation_rules
    return rules
