"""`GET /api/v1/asr/requests/{id}`: what was stored."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from services.asr.handlers.common import reader, service_of
from services.asr.schemas.answer import StoredAnswer

router = APIRouter(tags=["asr"])


@router.get(
    "/api/v1/asr/requests/{id}",
    summary="A stored request and its transcripts",
    response_model_exclude_none=True,
)
async def stored_request(
    request: Request, request_id: Annotated[str, Path(alias="id", max_length=64)]
) -> StoredAnswer:
    """The caller's own tenant's requests only; any other is not found."""
    caller = reader(request)
    return StoredAnswer.of(await service_of(request).stored(caller.tenant_id, request_id))
