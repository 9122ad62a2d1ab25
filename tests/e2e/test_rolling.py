"""A gateway and a service are replaced while they are in use; no client notices."""

from pathlib import Path

import pytest

from tests.e2e.conftest import admin_key
from tests.support.mixed_load import MixedLoad, told
from tests.support.poll import eventually
from tests.support.rolling import Roller

pytestmark = [
    pytest.mark.breaks,
    pytest.mark.parametrize("stack", ["embedded"], indirect=True),
]

# More often than the drill: a second in which nobody asks shows nothing.
RATES = {"asr": 2.0, "nmt": 20.0}


@pytest.mark.parametrize("kind", ["gateway", "asr"])
async def test_a_replacement_under_load_fails_no_request(
    roller: Roller, tmp_path: Path, kind: str
) -> None:
    stack = roller.stack
    async with MixedLoad(stack.info.gateway_url, admin_key(stack), tmp_path, RATES) as load:

        async def more(count: int) -> None:
            target = len(load.answers) + count
            await eventually(lambda: len(load.answers) >= target, timeout_s=20)

        await more(10)
        before = stack.info.pids
        await roller.replace(kind)
        after = stack.info.pids
        await more(20)
        answers = list(load.answers)
        assert all(answer.good for answer in answers), told(answers)
        assert await load.lost(answers) == []
    assert not {n for n in before if n.startswith(kind)} & set(after), "a new process serves"
