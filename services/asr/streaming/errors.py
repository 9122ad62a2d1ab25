"""Why a stream ends early: a stable code for programs, and a close code (RFC 6455 §7.4).

1001 `idle_timeout`   1007 `invalid_json` `invalid_text`   1012 `shutting_down`
1008 `invalid_start` `invalid_message` `not_started` `already_started` `start_timeout`
     `invalid_frame` `invalid_audio` `unsupported_sample_rate` `unsupported_encoding`
     `invalid_resume` `stream_too_long` `slow_reader`
1013 `too_many_streams`, and whatever dependency does not answer
"""

from shared.problem import SpeechgateError

NORMAL = 1000
GOING_AWAY = 1001
INVALID_DATA = 1007
POLICY = 1008
INTERNAL = 1011
RESTART = 1012
TRY_LATER = 1013
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


def too_many_streams(whose: str) -> StreamRefused:
    """A cap on open streams is reached."""
    return StreamRefused(f"Too many streams are open {whose}.", "too_many_streams", TRY_LATER)


def shutting_down() -> StreamRefused:
    """The process ends; another one goes on where this one stops."""
    return StreamRefused("This process stops: connect again.", "shutting_down", RESTART)


def slow_reader() -> StreamRefused:
    """The client does not take its events."""
    return StreamRefused("The events are not read in time.", "slow_reader")


def idle() -> StreamRefused:
    """No audio came for too long."""
    return StreamRefused("No audio came for too long.", "idle_timeout", GOING_AWAY)


def too_long(seconds: float) -> StreamRefused:
    """The stream lasted too long."""
    return StreamRefused(f"A stream lasts at most {seconds:.0f} seconds.", "stream_too_long")


def stranded(error: Exception) -> SpeechgateError:
    """A defect of ours, told without its words."""
    found = SpeechgateError("Something went wrong on our side.")
    found.__cause__ = error
    return found
