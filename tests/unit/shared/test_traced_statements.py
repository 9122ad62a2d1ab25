"""SQL statements as spans."""

from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import create_engine
from shared.metrics import Metrics
from shared.telemetry.otlp import connect
from shared.telemetry.span import current_span
from shared.telemetry.statements import trace_statements
from tests.support.otlp_receiver import OtlpReceiver

SECRET = "sg_live_abc"  # noqa: S105 - what must not be found
TABLE = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("words", String(100), unique=True),
)


async def test_statements_are_spans_without_their_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with OtlpReceiver().running() as receiver:
        await make_statements(receiver, tmp_path)


async def make_statements(receiver: OtlpReceiver, tmp_path: Path) -> None:
    tracer = connect("test", receiver.url, 1.0, Metrics("test"), follow_callers=True)
    engine = create_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    trace_statements(engine)
    async with engine.begin() as connection:
        await connection.run_sync(TABLE.metadata.create_all)
        await connection.execute(insert(TABLE).values(id=0, words="no span is current"))
    served = tracer.serve("POST", None, None)
    token = current_span.set(served)
    row = {"id": 1, "words": SECRET}
    async with engine.begin() as connection:
        await connection.execute(insert(TABLE).values(**row))
        await connection.execute(select(TABLE).where(TABLE.c.words == SECRET))
        await connection.execute(text(f"SELECT '{SECRET}'"))
    with pytest.raises(SQLAlchemyError):
        async with engine.begin() as connection:
            await connection.execute(insert(TABLE).values(**row))
    current_span.reset(token)
    served.end()
    await engine.dispose()
    await tracer.close()
    spans = [one for one in receiver.trace(served.context.trace_id) if one.kind == "client"]
    assert [(one.name, one.failed) for one in spans] == [
        ("INSERT things", False),
        ("SELECT", False),
        ("SELECT", False),
        ("INSERT things", True),
    ]
    assert spans[0].attributes == {
        "db.system.name": "sqlite",
        "db.operation.name": "INSERT",
        "db.collection.name": "things",
    }
    assert not any(SECRET in words for one in receiver.spans for words in one.texts())
