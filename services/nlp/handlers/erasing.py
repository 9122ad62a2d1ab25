"""`DELETE /api/v1/nlp/conversation/{id}`: for the gateway's routes of calls; it is not public."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from services.nlp.services.erasing import ErasureService
from shared.asgi.caller import caller_with
from shared.caller import Caller

router = APIRouter(tags=["conversation"])


@router.delete(
    "/api/v1/nlp/conversation/{id}", summary="Delete a stored conversation", status_code=204
)
async def erase(
    request: Request,
    stored_id: Annotated[str, Path(alias="id", max_length=64)],
    caller: Annotated[Caller, Depends(caller_with("calls:write"))],
) -> None:
    """With its words, for good."""
    service: ErasureService = request.state.context.erasure
    await service.erase(caller, stored_id)
