"""`GET /api/v1/asr/languages`: what can be recognized."""

from fastapi import APIRouter, Request

from services.asr.handlers.common import sender, service_of
from services.asr.schemas.answer import LanguagesAnswer

router = APIRouter(tags=["asr"])


@router.get("/api/v1/asr/languages", summary="Languages that are recognized")
async def languages(request: Request) -> LanguagesAnswer:
    """As the loaded models say."""
    sender(request)
    services = await service_of(request).languages()
    return LanguagesAnswer(
        languages=sorted({code for codes in services.values() for code in codes}),
        services=services,
    )
