"""`/v1/audio/transcriptions` and `/v1/audio/translations`: OpenAI's dialect of the same engine."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.asr.exceptions import unsupported_parameter
from services.asr.handlers.common import sender, service_of
from services.asr.handlers.openai_form import read_form
from services.asr.schemas.openai import (
    RENDERED,
    ResponseFormat,
    TranscriptionForm,
    TranslationForm,
    form_docs,
)
from services.asr.schemas.openai_answer import (
    DiarizedOut,
    PlainOut,
    Task,
    VerboseOut,
    diarized,
    events,
    plain,
    verbose,
)
from services.asr.services.asr_service import Answer
from services.asr.services.model_names import ModelNames
from services.asr.services.subtitles import render
from services.asr.services.translation import SpeechTranslator
from shared.asgi.disconnect import until_disconnect
from shared.serving import USED_HEADER

router = APIRouter(tags=["asr"])
TRANSCRIPTIONS, TRANSLATIONS = "/v1/audio/transcriptions", "/v1/audio/translations"
PATHS = (TRANSCRIPTIONS, TRANSLATIONS)
_SEGMENTS = frozenset({"segment"})
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}


def _written(*forms: type[BaseModel], events: bool) -> dict[int | str, dict[str, Any]]:
    """What a route answers: JSON in each of its forms, texts, and events where it has them."""
    schemas = [{"$ref": f"#/components/schemas/{form.__name__}"} for form in forms]
    content = {
        "application/json": {"schema": {"anyOf": schemas}},
        "text/plain": _TEXT,
        "text/vtt": _TEXT,
    }
    if events:
        content["text/event-stream"] = {}
    told = "As `response_format` asks for it" + ("; OpenAI's events with `stream`" * events)
    return {200: {"description": told, "content": content}}


@router.post(
    TRANSCRIPTIONS,
    summary="Recognize an uploaded file (OpenAI's form)",
    response_model=PlainOut | VerboseOut | DiarizedOut,
    responses=_written(PlainOut, VerboseOut, DiarizedOut, events=True),
    openapi_extra=form_docs(TranscriptionForm),
)
async def transcriptions(request: Request) -> Response:
    """As OpenAI's endpoint of this name; `model` is a serviceId or one of OpenAI's names."""
    caller = sender(request)
    names: ModelNames = request.state.context.names
    service = service_of(request)
    async with read_form(request, TranscriptionForm) as (form, sources):
        if form.diarized and service.diarization is None:
            raise unsupported_parameter(
                "response_format", "No model that tells speakers apart is served here."
            )
        options = form.options(names.service_id(form.model), names.default_language)
        work = service.transcribe(sources, options, caller)
        answer = await until_disconnect(request, work)
    if form.stream:
        found = events(answer, logprobs=bool(form.include), speakers=form.diarized)
        return _streamed(found, answer.used)
    return _answered(answer, form, "transcribe", form.granularities, logprobs=bool(form.include))


@router.post(
    TRANSLATIONS,
    summary="Recognize an uploaded file and translate it into English (OpenAI's form)",
    response_model=PlainOut | VerboseOut,
    responses=_written(PlainOut, VerboseOut, events=False),
    openapi_extra=form_docs(TranslationForm),
)
async def translations(request: Request) -> Response:
    """As OpenAI's endpoint of this name; `language` may say which language is spoken."""
    caller = sender(request)
    names: ModelNames = request.state.context.names
    translator: SpeechTranslator = request.state.context.translator
    async with read_form(request, TranslationForm) as (form, sources):
        options = form.options(names.service_id(form.model), names.default_language)
        work = translator.translate(sources, options, caller)
        answer = await until_disconnect(request, work)
    return _answered(answer, form, "translate", _SEGMENTS)


def _answered(
    answer: Answer,
    form: TranslationForm,
    task: Task,
    granularities: frozenset[str],
    *,
    logprobs: bool = False,
) -> Response:
    wanted, headers = form.response_format, {USED_HEADER: answer.used}
    rendered = RENDERED.get(wanted)
    if rendered is not None:
        text = render(answer.transcripts[0], rendered)
        # OpenAI ends a plain text by a line end.
        text = f"{text}\n" if wanted is ResponseFormat.TEXT else text
        kind = "text/vtt" if wanted is ResponseFormat.VTT else "text/plain"
        return Response(text, headers=headers, media_type=kind)
    body: BaseModel
    if wanted is ResponseFormat.VERBOSE_JSON:
        body = verbose(answer, task, granularities, form.temperature)
    elif wanted is ResponseFormat.DIARIZED_JSON:
        body = diarized(answer)
    else:
        body = plain(answer, logprobs=logprobs)
    return Response(
        body.model_dump_json(exclude_none=True), headers=headers, media_type="application/json"
    )


def _streamed(found: Iterable[dict[str, Any]], used: str) -> Response:
    """Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

    async def lines() -> AsyncIterator[bytes]:
        for event in found:
            yield b"data: %b\n\n" % orjson.dumps(event)

    headers = {USED_HEADER: used, "cache-control": "no-cache"}
    return StreamingResponse(lines(), headers=headers, media_type="text/event-stream")
