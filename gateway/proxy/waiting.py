"""Requests whose bodies are still to come.

They hold no place among the requests in flight, nor one at a service: slow clients would take all
of them, and do nothing with them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter

from gateway.models.routes import Priority
from gateway.proxy.overload import Overload
from gateway.server.body import timed_out
from gateway.server.request import Request
from shared.metrics import Metrics

_SENDERS_SHARE = 0.25


class WaitingRoom:
    """Has room for a number of requests; beyond it those that have waited longest have to go.

    Args:
        overload: Places of requests in flight.
        max_waiting: Requests; a quarter of them of one sender.
        metrics: Where those that had to go are counted.
    """

    def __init__(self, overload: Overload, max_waiting: int, metrics: Metrics) -> None:
        self._overload = overload
        self._max_waiting = max_waiting
        self._max_of_sender = max(1, int(max_waiting * _SENDERS_SHARE))
        self._number = 0
        self._waiting: dict[str, dict[Request, None]] = {}  # In the order in which they came.
        self._dropped = Counter(
            "speechgate_slow_uploads_dropped",
            "Requests that gave way to others while their bodies were waited for",
            registry=metrics.registry,
        )

    @contextmanager
    def waits(self, request: Request, sender: str, priority: Priority) -> Iterator[None]:
        """While the body of a request in flight is waited for.

        Raises:
            Overloaded: The body is there, and there is no place for the request any more.
        """
        own = self._waiting.get(sender, {})
        if len(own) >= self._max_of_sender:
            self._drop_oldest(sender)
        elif self._number >= self._max_waiting:
            self._drop_oldest(max(self._waiting, key=lambda name: len(self._waiting[name])))
        self._waiting.setdefault(sender, {})[request] = None
        self._number += 1
        self._overload.leave()
        try:
            yield
        except BaseException:
            self._overload.in_flight += 1  # It ends as every request does.
            raise
        finally:
            self._remove(sender, request)
        self._overload.come_back(priority)

    def _drop_oldest(self, sender: str) -> None:
        """A body that is on its way takes milliseconds: the oldest is the slowest."""
        request = next(iter(self._waiting[sender]))
        self._remove(sender, request)
        self._dropped.inc()
        request.keep_alive = False
        request.body.fail(timed_out())

    def _remove(self, sender: str, request: Request) -> None:
        own = self._waiting.get(sender, {})
        if request in own:
            del own[request]
            self._number -= 1
            if not own:
                del self._waiting[sender]
