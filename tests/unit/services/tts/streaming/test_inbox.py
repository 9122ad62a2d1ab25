import asyncio
from collections.abc import Awaitable, Callable

import pytest

from services.tts.streaming.inbox import TextInbox
from services.tts.streaming.limits import LiveLimits
from shared.text.bounds import TextBounds

LIMITS = LiveLimits(
    characters=10_000, longest_s=60.0, idle_s=60.0, start_s=1.0, slow_s=1.0, drain_s=1.0
)
MANY = 10_000


@pytest.mark.parametrize("sent", [TextInbox.flush, lambda inbox: inbox.feed("")])
async def test_messages_without_a_text_wait_too(
    sent: Callable[[TextInbox], Awaitable[None]],
) -> None:
    inbox = TextInbox(TextBounds(1, 2_000, 2_000), LIMITS)
    done = 0

    async def flood() -> None:
        nonlocal done
        for _ in range(MANY):
            await sent(inbox)
            done += 1
        inbox.stop()

    flooding = asyncio.create_task(flood())
    await asyncio.sleep(0.02)
    assert done < MANY / 2
    flushes = [flushed async for _, flushed in inbox.texts() if flushed]
    await flooding
    assert len(flushes) in {0, MANY}


async def test_nothing_is_taken_after_stop() -> None:
    inbox = TextInbox(TextBounds(1, 2_000, 2_000), LIMITS)
    await inbox.feed("One.")
    inbox.stop()
    await inbox.feed("Two.")
    await inbox.flush()
    inbox.stop()
    assert [found async for found in inbox.texts()] == [("One.", False)]


async def test_who_waits_is_let_go_when_nobody_reads_any_more() -> None:
    inbox = TextInbox(TextBounds(1, 5_000, 5_000), LIMITS)
    waiting = asyncio.create_task(inbox.feed("a" * 4_001))
    await asyncio.sleep(0)
    assert not waiting.done()
    inbox.close()
    await waiting
