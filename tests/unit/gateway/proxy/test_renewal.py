"""What a long request holds is renewed while it lasts, and no longer."""

import asyncio

from gateway.models.limits import Cap, Lease
from gateway.proxy.renewal import renewing
from tests.support.poll import eventually


class Limiter:
    def __init__(self) -> None:
        self.renewed: list[Lease] = []

    def renew(self, lease: Lease) -> None:
        self.renewed.append(lease)


async def test_it_is_renewed_until_the_request_ends() -> None:
    limiter, lease = Limiter(), Lease("a", (Cap("key", "k", 1),))
    with renewing(limiter, lease, every_s=0.01):
        await eventually(lambda: len(limiter.renewed) >= 3)
    count = len(limiter.renewed)
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, passed.set)
    await passed.wait()
    assert limiter.renewed == [lease] * count


async def test_a_request_without_caps_renews_nothing() -> None:
    limiter = Limiter()
    with renewing(limiter, None, every_s=0.001):
        passed = asyncio.Event()
        asyncio.get_running_loop().call_later(0.02, passed.set)
        await passed.wait()
    assert limiter.renewed == []
