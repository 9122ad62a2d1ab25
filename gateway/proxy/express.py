"""Answers repeated requests without a task, futures, or objects of their own.

It is one object per connection and goes through the same steps as `Exchange`, each in the call that
brings what it waited for. It knows the usual case only: whatever else happens, at any step, it
leaves the request to an `Exchange`, which goes on from there.
"""

from gateway.models.flags import DEFAULT_CHOICE
from gateway.models.limits import Decision
from gateway.models.routes import Service
from gateway.proxy.answer import PROTECTION
from gateway.proxy.begun import Begun, Handed
from gateway.proxy.context import new_context, new_ids
from gateway.proxy.ledger import Ledger
from gateway.proxy.parts import ProxyContext
from gateway.proxy.repeat import Repeat
from gateway.proxy.whole_answer import read_whole
from gateway.ratelimit.batch import Question
from gateway.ratelimit.headers import limit_lines
from gateway.server.channel import NEVER
from gateway.server.connection import HttpConnection
from gateway.server.response import date_line, status_line
from gateway.upstream.asked import AskedConnection
from gateway.upstream.places import Sent
from gateway.upstream.replica import Replica
from shared.logging import get_logger

_logger = get_logger(__name__)
_IDLE, _ASKING, _SENT, _OVER = range(4)
_DEFAULT_VARIANT = "default"
_PROTECTED = b"\r\n" + PROTECTION + b"\r\n"


class Express:
    """The short cut of one connection.

    It is also who waits for the limiter (`ratelimit.protocol.Asker`), and for the service
    (`upstream.asked.Asker`).

    Args:
        context: What the proxied path works with.
        connection: Whose requests it answers.
        repeat: What they are like.
    """

    __slots__ = (
        "_arrived",
        "_at",
        "_body_at",
        "_choice",
        "_connection",
        "_context",
        "_counts",
        "_data",
        "_decision",
        "_early",
        "_ending",
        "_ids",
        "_ledger",
        "_left",
        "_now",
        "_places",
        "_question",
        "_repeat",
        "_replica",
        "_route",
        "_sent_at",
        "_stage",
        "_trace",
        "_upstream",
    )

    def __init__(self, context: ProxyContext, connection: HttpConnection, repeat: Repeat) -> None:
        self._context = context
        self._connection = connection
        self._repeat = repeat
        self._places = context.pools[repeat.route.service].places
        principal = repeat.principal
        self._question = Question(
            self, principal.identity.subject, principal.policy, repeat.route.cost, repeat.caps
        )
        self._body_at = repeat.pattern.body_at
        self._ledger = Ledger(context, repeat)
        self._counts = context.observer.repeated
        self._route = repeat.route
        self._now = connection.loop.time
        self._stage = _IDLE
        self._ending = self._left = False
        self._arrived = self._sent_at = 0.0
        self._at = 0
        self._data = self._early = b""
        self._ids, self._trace = "", b""
        self._decision: Decision = None  # type: ignore[assignment] # set in `set_result`
        self._choice = DEFAULT_CHOICE
        self._replica: Replica = None  # type: ignore[assignment] # set in `_send`
        self._upstream: AskedConnection = None  # type: ignore[assignment] # likewise

    # What the connection calls.

    @property
    def busy(self) -> bool:
        """See `Shortcut`."""
        return self._stage in (_ASKING, _SENT)

    def take(self, data: bytes) -> bool:
        """See `Shortcut`."""
        connection = self._connection
        if self._stage != _IDLE:
            # Pipelined: answered in turn. No more is read meanwhile.
            self._early += data
            connection.pause_reading()
            return True
        repeat, known, context = self._repeat, self._repeat.sender, self._context
        at = self._body_at(data)
        overload = context.overload
        if (
            at < 0
            or not overload.has_room(self._route.priority)
            or context.authenticator.cached(known.digest, known.credential) is not repeat.principal
        ):
            self._end()
            return False
        overload.in_flight += 1
        context.observer.in_flight += 1
        connection.deadline = NEVER
        self._data, self._at, self._arrived, self._ids = data, at, self._now(), new_ids()
        self._stage = _ASKING
        decision = context.limiter.ask(self._question)
        if decision is not None:
            self.set_result(decision)
        return True

    def give_up(self) -> None:
        """See `Shortcut`; and the service's connection calls it when there is no answer."""
        if self._stage == _IDLE:
            self._end()
        elif self._stage == _ASKING:
            self._ending = True
        elif self._stage == _SENT:
            self._hand_over()

    def lost(self) -> None:
        """See `Shortcut`."""
        stage, self._stage = self._stage, _OVER
        self._question.end()
        if stage == _SENT:
            self._upstream.drop()
            self._places.end(self._replica)
            self._leave(self._decision, (self._choice.variant, self._route.service))
        elif stage == _ASKING:
            self._left = True  # The limiter takes its places back.
            self._leave(None, None)

    # What the limiter calls.

    def done(self) -> bool:
        """Whether the client is gone."""
        return self._stage != _ASKING

    def cancelled(self) -> bool:
        """Whether it was gone before the decision, which nobody has used then."""
        return self._left

    def set_exception(self, exception: BaseException, /) -> None:
        """Nothing was decided: only for routes that refuse then, which take no short cut."""
        _logger.error("limits were not decided", exc_info=exception)
        self._connection.abort()

    def set_result(self, result: Decision, /) -> None:
        """The limiter has decided."""
        if self._stage != _ASKING:
            return
        self._decision = result
        try:
            if self._ending or not result.allowed or not self._send(result):
                self._hand_over()
        except Exception as error:
            # Whoever hands out decisions has others to tell.
            _logger.error("unhandled error", exc_info=error)
            self._connection.abort()

    def _send(self, decision: Decision) -> bool:
        """Send the request on; False when there is anything unusual about that."""
        repeat, context, route = self._repeat, self._context, self._route
        if context.switches.closed(route.template) or (route.slow and decision.lease is not None):
            return False
        choice = DEFAULT_CHOICE
        if route.model_flag is not None:
            known = context.models.remembered(route.model_flag, repeat.principal, repeat.session)
            if known is None:
                return False
            choice = known
        now = self._now()
        deadline = self._arrived + repeat.timeout_s
        left_ms = int((deadline - now) * 1000)
        begun = self._places.begin(now, self._route.priority) if left_ms > 0 else None
        if begun is None:
            return False
        self._replica, self._upstream = replica, upstream = begun
        self._choice, self._sent_at, self._stage = choice, now, _SENT
        ids = self._ids
        # The same two fields in both directions.
        self._trace = trace = (
            f"x-request-id: {ids[:32]}\r\ntraceparent: 00-{ids[32:64]}-{ids[64:]}-00\r\n".encode()
        )
        token = context.issuer.issue_bytes(repeat.principal.identity, route.service)
        head = repeat.head_for(replica, upstream.tail, token, choice)
        data, at = self._data, self._at
        last = b"%bx-sg-timeout-ms: %d\r\n\r\n" % (repeat.length_line(len(data) - at), left_ms)
        upstream.ask(b"".join((head, trace, last, data[at:])), self, deadline)
        return True

    # What the service's connection calls.

    def answered(self, data: bytes) -> None:
        """The first bytes of the answer came."""
        try:
            if not self._answer(data):
                upstream = self._upstream
                self._hand_over()
                upstream.data_received(data)
        except Exception as error:
            _logger.error("unhandled error", exc_info=error)
            self._connection.abort()

    def _answer(self, data: bytes) -> bool:
        """Answer the client; False where an answer is to be read with more care."""
        connection, replica = self._connection, self._replica
        whole = read_whole(data)
        if whole is None or replica.troubled:
            return False
        status, lines, used, body = whole
        variant = self._choice.variant
        if used is not None and used != b"variant":
            variant = used.decode("latin-1")
        answer = b"".join(
            (
                status_line(status),
                date_line(),
                lines,
                limit_lines(self._question.call.rule, self._decision),
                self._trace,
                b"x-model-variant: ",
                (variant or _DEFAULT_VARIANT).encode(),
                _PROTECTED,
                body,
            )
        )
        if not self._upstream.served():
            return False
        now = self._now()
        self._places.answered(replica, self._sent_at, now)
        self._counts["answered"] += 1
        self._stage = _IDLE
        connection.deadline = now + connection.idle_timeout_s
        connection.write(answer)
        self._ledger.finish(
            (status, variant, self._route.service, replica.url),
            self._decision,
            self._ids,
            now - self._arrived,
            len(self._data) - self._at,
            len(body),
        )
        self._data = b""
        if self._early:
            early, self._early = self._early, b""
            connection.resume_reading()
            connection.data_received(early)
        return True

    # How a request ends.

    def _hand_over(self) -> None:
        """Let an `Exchange` go on."""
        handed = None
        if self._stage == _SENT:
            sent = Sent(self._replica, self._upstream.adopt(self._repeat.method), self._sent_at)
            handed = Handed(self._route.service, self._places, self._choice, sent)
        context = new_context(self._ids)
        begun = Begun(self._ledger, self._repeat.principal, self._decision, context, handed)
        self._stage = _OVER
        self._question.end()
        self._context.observer.in_flight -= 1  # The exchange counts it again.
        self._counts["handed_over"] += 1
        data, self._data, self._early = self._data + self._early, b"", b""
        self._connection.take_back(data, begun, self._arrived)

    def _leave(self, decision: Decision | None, sent: tuple[str | None, Service] | None) -> None:
        """The client left."""
        seconds, received = self._now() - self._arrived, len(self._data) - self._at
        self._ledger.left(decision, self._ids, seconds, received, sent=sent)

    def _end(self) -> None:
        """Take no more requests."""
        self._stage = _OVER
        self._question.end()
        connection = self._connection
        connection.shortcut = None
        connection.strangers = 0 if self._ids else connection.strangers + 1
