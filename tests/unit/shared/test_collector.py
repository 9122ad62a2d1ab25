import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI

from shared.collector import sparing_start_up


@pytest.fixture
def unfrozen() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("unfrozen")
async def test_what_start_up_made_is_not_looked_at_again() -> None:
    made: list[list[str]] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, str]]:
        made.append(["of start-up"])
        yield {"context": "there"}
        made.append(["of the end"])

    async with sparing_start_up(lifespan)(FastAPI()) as state:
        assert state == {"context": "there"}
        later = ["of a request"]
        looked_at = {id(each) for each in gc.get_objects()}
        assert id(made[0]) not in looked_at
        assert id(later) in looked_at
    assert len(made) == 2


@pytest.mark.usefixtures("unfrozen")
async def test_a_lifespan_without_state() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield

    async with sparing_start_up(lifespan)(FastAPI()) as state:
        assert state == {}
