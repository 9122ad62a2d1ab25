"""`python -m shared.db.check`: models and migrations agree, on SQLite or a given PostgreSQL.

Without arguments every deployable is migrated in a temporary SQLite file and compared with its
models. With `--postgresql URL` (a server with the right to create databases is not needed: one
empty database) the same is done there, a deployable at a time, each from an empty schema.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from sqlalchemy import text

from shared.db.engine import create_engine
from shared.db.migrations import check, upgrade

ROOT = Path(__file__).resolve().parents[2]
DEPLOYABLES = ("gateway", "services/asr", "services/tts", "services/nlp")


async def _empty_schema(url: str) -> None:
    engine = create_engine(url, pool_size=1)
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()


def main() -> None:
    """Check every deployable; the first difference ends the run with an error."""
    parser = argparse.ArgumentParser(prog="python -m shared.db.check", description=__doc__)
    parser.add_argument("--postgresql", metavar="URL", help="an empty scratch database")
    url: str | None = parser.parse_args().postgresql
    with tempfile.TemporaryDirectory() as folder:
        for name in DEPLOYABLES:
            migrations = ROOT / name / "migrations"
            if url:
                asyncio.run(_empty_schema(url))
            target = url or f"sqlite+aiosqlite:///{folder}/{name.replace('/', '-')}.db"
            upgrade(migrations, target)
            check(migrations, target)


if __name__ == "__main__":
    main()
