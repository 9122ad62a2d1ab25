"""Transactions over the gateway's database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from gateway.exceptions import DatabaseUnreachable
from gateway.repositories.calls import CallRepository
from gateway.repositories.flag_evaluations import FlagEvaluationRepository
from gateway.repositories.flags import FlagRepository
from gateway.repositories.keys import KeyRepository
from gateway.repositories.organizations import OrganizationRepository
from gateway.repositories.plans import PlanRepository
from gateway.repositories.roles import RoleRepository
from gateway.repositories.sessions import SessionRepository
from gateway.repositories.users import UserRepository
from shared.db.engine import READ_ONLY, ping, session_factory
from shared.db.group_commit import is_unreachable


@dataclass(frozen=True, slots=True)
class Store:
    """The repositories of one transaction."""

    calls: CallRepository
    flag_evaluations: FlagEvaluationRepository
    flags: FlagRepository
    keys: KeyRepository
    organizations: OrganizationRepository
    plans: PlanRepository
    roles: RoleRepository
    sessions: SessionRepository
    users: UserRepository


class Database:
    """Opens transactions.

    Args:
        engine: SQLite or PostgreSQL; the caller disposes of it.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sessions = session_factory(engine)
        self._readers = session_factory(engine.execution_options(**{READ_ONLY: True}))

    async def ping(self) -> None:
        """Raise unless the database answers."""
        await ping(self._engine)

    @asynccontextmanager
    async def transaction(self, *, read_only: bool = False) -> AsyncIterator[Store]:
        """Repositories in one transaction, committed at the end of the block.

        Raises:
            DatabaseUnreachable: The database, not the statement, is at fault.
        """
        sessions = self._readers if read_only else self._sessions
        try:
            async with sessions() as session, session.begin():
                await _connect(session)
                yield Store(
                    calls=CallRepository(session),
                    flag_evaluations=FlagEvaluationRepository(session),
                    flags=FlagRepository(session),
                    keys=KeyRepository(session),
                    organizations=OrganizationRepository(session),
                    plans=PlanRepository(session),
                    roles=RoleRepository(session),
                    sessions=SessionRepository(session),
                    users=UserRepository(session),
                )
        except Exception as error:
            if is_unreachable(error):
                raise DatabaseUnreachable from error
            raise


async def _connect(session: AsyncSession) -> None:
    """Open the connection now: whatever a driver raises here is the database's fault."""
    try:
        await session.connection()
    except Exception as error:
        raise DatabaseUnreachable from error
