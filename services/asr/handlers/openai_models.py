"""`/v1/models`: the names of models, in OpenAI's dialect."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from services.asr.handlers.common import sender
from services.asr.schemas.openai_answer import ModelOut, ModelsOut
from services.asr.services.model_names import ModelNames

router = APIRouter(tags=["asr"])


@router.get("/v1/models", summary="Models of the sender (OpenAI's list)")
async def models(request: Request) -> ModelsOut:
    """Every serviceId, and the names of OpenAI's models that stand for one."""
    caller = sender(request)
    names: ModelNames = request.state.context.names
    return ModelsOut(data=[ModelOut(id=name) for name in names.known(caller)])


@router.get("/v1/models/{id}", summary="One model (OpenAI's form)")
async def model(
    request: Request, name: Annotated[str, Path(alias="id", max_length=128)]
) -> ModelOut:
    """Whether there is a model of this name."""
    caller = sender(request)
    names: ModelNames = request.state.context.names
    return ModelOut(id=names.check(name, caller))
