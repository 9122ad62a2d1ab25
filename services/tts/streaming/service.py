"""Opens live requests, and ends them with the process."""

import asyncio

from services.tts.models.speech import SpeechOrder
from services.tts.services.runs import Runs
from services.tts.streaming.limits import LiveLimits
from services.tts.streaming.monitor import LiveMonitor
from services.tts.streaming.session import LiveSession
from shared.caller import Caller
from shared.logging import get_logger
from shared.streams import StreamPlaces, shutting_down

_logger = get_logger(__name__)


class LiveService:
    """Live synthesis.

    Args:
        runs: Begins and stores requests.
        places: Counts open streams.
        limits: What each may take.
        monitor: Where they are counted for operators.
    """

    def __init__(
        self, runs: Runs, places: StreamPlaces, limits: LiveLimits, monitor: LiveMonitor
    ) -> None:
        self.limits = limits
        self._runs = runs
        self._places = places
        self._monitor = monitor
        self._sessions: set[LiveSession] = set()

    def open(self, order: SpeechOrder, caller: Caller, *, apart: bool = False) -> LiveSession:
        """A stream that begins; what is wrong with the order is its first event.

        Args:
            order: What is asked, without a text.
            caller: Who asks.
            apart: Whether each passage is a file of its own.

        Raises:
            StreamRefused: `too_many_streams` or `shutting_down`.
        """
        self._places.take(caller.tenant_id)

        def ended(status: str) -> None:
            self._sessions.discard(session)
            self._places.release(caller.tenant_id)
            self._monitor.ended(status)
            _logger.info(
                "stream",
                request_id=caller.request_id,
                trace_id=caller.trace_id,
                tenant=caller.tenant_id,
                subject=caller.subject,
                status=status,
            )

        session = LiveSession(order, caller, self._runs, self.limits, ended, apart=apart)
        self._sessions.add(session)
        self._monitor.opened()
        session.start()
        return session

    async def drain(self) -> None:
        """Refuse new streams; let the open ones speak what came, and end."""
        self._places.close()
        sessions = list(self._sessions)
        for session in sessions:
            session.drain()
        if not sessions:
            return
        ends = [asyncio.create_task(session.ended()) for session in sessions]
        _, late = await asyncio.wait(ends, timeout=self.limits.drain_s)
        for session in list(self._sessions):
            session.fail(shutting_down())
        if late:
            await asyncio.wait(late, timeout=self.limits.drain_s)

    async def close(self) -> None:
        """End what is left."""
        self._places.close()
        await asyncio.gather(*(session.close() for session in list(self._sessions)))
