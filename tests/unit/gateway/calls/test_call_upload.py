"""An upload that is passed on, and what ends it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.types import Message

from gateway.handlers.call_upload import PassingUpload
from shared.asgi.disconnect import ClientLeft
from shared.problem import PayloadTooLarge

PART: Message = {"type": "http.request", "body": b"part", "more_body": True}
LAST: Message = {"type": "http.request", "body": b"last", "more_body": False}
GONE: Message = {"type": "http.disconnect"}


def upload(*told: Message | Exception) -> PassingUpload:
    """Of a client that sends this and then nothing; the last error comes again and again."""
    waiting = list(told)

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()
        found = waiting[0]
        if isinstance(found, Exception):
            raise found
        del waiting[0]
        return found

    return PassingUpload(Request({"type": "http", "method": "POST", "headers": []}, receive))


async def sent(parts: AsyncIterator[bytes], answer: asyncio.Event | None = None) -> bytes:
    """As a step sends it: the answer, or the error, is there some turns of the loop later."""
    try:
        body = b"".join([part async for part in parts])
    finally:
        for _ in range(5):
            await asyncio.sleep(0)
    if answer is not None:
        await answer.wait()
    return body


async def attended(passing: PassingUpload, answer: asyncio.Event | None = None) -> bytes:
    async with asyncio.timeout(5):
        return await passing.attended(sent(passing.parts(), answer))


async def test_all_of_it_arrives() -> None:
    passing = upload({**PART, "body": b"a" * 70_000}, PART, LAST)
    await passing.begin()
    assert await attended(passing) == b"a" * 70_000 + b"partlast"


async def test_who_leaves_meanwhile_or_afterwards_ends_the_work() -> None:
    for told in ((PART, GONE), (PART, LAST, GONE)):
        with pytest.raises(ClientLeft):
            await attended(upload(*told), asyncio.Event())
    with pytest.raises(ClientLeft):
        await upload(PART, GONE).begin()


async def test_what_is_wrong_with_a_body_is_said() -> None:
    """Nobody left: the rest of a body that is too large is no end of the connection."""
    with pytest.raises(PayloadTooLarge):
        await attended(upload(PART, PayloadTooLarge("Too large.")))


async def test_an_answer_before_the_end_of_the_body_is_given() -> None:
    passing = upload(PART, PayloadTooLarge("Too large."))

    async def refused() -> str:
        parts = passing.parts()
        await anext(parts)
        await parts.aclose()  # type: ignore[attr-defined] # a generator
        for _ in range(5):
            await asyncio.sleep(0)
        return "refused"

    async with asyncio.timeout(5):
        assert await passing.attended(refused()) == "refused"
