"""Streams of every service: who may open one, and why one ends early.

An end has a stable code for programs, and a close code (RFC 6455 §7.4):

1001 `idle_timeout`   1007 `invalid_json` `invalid_text`   1012 `shutting_down`
1008 `invalid_start` `invalid_message` `not_started` `already_started` `start_timeout`
     `stream_too_long` `slow_reader`, and what a service refuses in the content
1013 `too_many_streams`, and whatever dependency does not answer
"""

from collections import Counter

from shared.problem import SpeechgateError

NORMAL = 1000
GOING_AWAY = 1001
INVALID_DATA = 1007
POLICY = 1008
INTERNAL = 1011
RESTART = 1012
TRY_LATER = 1013
FORBIDDEN = 4403
_CLIENTS_FAULT = range(400, 500)
_UNAVAILABLE = (503, 504)


class StreamRefused(SpeechgateError):
    """The stream cannot begin, or cannot go on.

    Args:
        detail: One sentence; never echoes input.
        code: Stable code.
        close: Close code.
    """

    status = 400
    title = "Stream refused"

    def __init__(self, detail: str, code: str, close: int = POLICY) -> None:
        super().__init__(detail, code=code)
        self.close = close


class StreamPlaces:
    """Counts the open streams of a process.

    Args:
        most: Open at once.
        most_of_tenant: Open at once of one tenant.
    """

    def __init__(self, most: int, most_of_tenant: int) -> None:
        self._most = most
        self._most_of_tenant = most_of_tenant
        self._tenants: Counter[str] = Counter()
        self._closed = False

    def take(self, tenant: str) -> None:
        """One more of a tenant's; `release` gives it back.

        Raises:
            StreamRefused: `too_many_streams` or `shutting_down`.
        """
        if self._closed:
            raise shutting_down()
        if self._tenants.total() >= self._most:
            raise too_many_streams("here")
        if self._tenants[tenant] >= self._most_of_tenant:
            raise too_many_streams("for your organization here")
        self._tenants[tenant] += 1

    def release(self, tenant: str) -> None:
        """One less."""
        self._tenants[tenant] -= 1
        if not self._tenants[tenant]:
            del self._tenants[tenant]

    def close(self) -> None:
        """Let no more in: the process ends."""
        self._closed = True


def close_code(error: SpeechgateError) -> int:
    """How a WebSocket closes after an error."""
    if isinstance(error, StreamRefused):
        return error.close
    if error.status in _UNAVAILABLE:
        return TRY_LATER
    return POLICY if error.status in _CLIENTS_FAULT else INTERNAL


def invalid_start(detail: str) -> StreamRefused:
    """The `start` message is wrong."""
    return StreamRefused(detail, "invalid_start")


def not_started() -> StreamRefused:
    """Something came before `start`."""
    return StreamRefused("The first message is start.", "not_started")


def already_started() -> StreamRefused:
    """A second `start` came."""
    return StreamRefused("The stream has begun already.", "already_started")


def no_start() -> StreamRefused:
    """No `start` came in time."""
    return StreamRefused("No start message came.", "start_timeout")


def too_many_streams(whose: str) -> StreamRefused:
    """A cap on open streams is reached."""
    return StreamRefused(f"Too many streams are open {whose}.", "too_many_streams", TRY_LATER)


def shutting_down() -> StreamRefused:
    """The process ends; another one goes on where this one stops."""
    return StreamRefused("This process stops: connect again.", "shutting_down", RESTART)


def slow_reader() -> StreamRefused:
    """The client does not take its events."""
    return StreamRefused("The events are not read in time.", "slow_reader")


def idle(what: str) -> StreamRefused:
    """Nothing came for too long; `what` should have: `audio` or `text`."""
    return StreamRefused(f"No {what} came for too long.", "idle_timeout", GOING_AWAY)


def too_long(seconds: float) -> StreamRefused:
    """The stream lasted too long."""
    return StreamRefused(f"A stream lasts at most {seconds:.0f} seconds.", "stream_too_long")


def stranded(error: Exception) -> SpeechgateError:
    """A defect of ours, told without its words."""
    found = SpeechgateError("Something went wrong on our side.")
    found.__cause__ = error
    return found
