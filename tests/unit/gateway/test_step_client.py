"""Steps of composed requests, over a pool whose client does as told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import generate_latest

from gateway.exceptions import StepFailed, UpstreamUnavailable
from gateway.models.flags import DEFAULT_CHOICE, ModelChoice
from gateway.models.limits import make_policy
from gateway.models.principal import Principal
from gateway.models.route_table import RouteTable
from gateway.models.routes import Service
from gateway.routes import ROUTES
from gateway.upstream.protocol import ConnectFailed, UpstreamBroken, UpstreamTimeout
from gateway.upstream.step_answer import read_error
from gateway.upstream.step_client import StepClient
from shared.asgi.disconnect import ClientLeft
from shared.identity import Identity, IdentityIssuer
from shared.metrics import Metrics
from shared.problem import DeadlineExceeded, PayloadTooLarge
from shared.tracing import request_context
from tests.support.poll import eventually
from tests.unit.gateway.pool_fakes import A, B, Client, Response, make_pool

PATH = "/api/v1/nmt/inference"
TRACE = request_context("mine-1", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
PRINCIPAL = Principal(
    Identity("key", "tenant", frozenset({"nlp:infer"})), make_policy(1, 2, 3), None
)
_PRIVATE = Ed25519PrivateKey.generate()
PEM = _PRIVATE.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


class Models:
    """Chooses as told, and notes what it was asked."""

    def __init__(self, choice: ModelChoice = DEFAULT_CHOICE) -> None:
        self.choice = choice
        self.asked: list[tuple[str | None, str, str | None]] = []

    def choose(self, flag: str | None, principal: Principal, session: str | None) -> ModelChoice:
        self.asked.append((flag, principal.identity.subject, session))
        return self.choice


class Setup:
    def __init__(self, client: Client, *urls: str, choice: ModelChoice = DEFAULT_CHOICE) -> None:
        loop = asyncio.get_running_loop()
        self.client, self.models, self.metrics = client, Models(choice), Metrics("test")
        pool = make_pool(client, *(urls or (A,)), clock=loop.time)  # type: ignore[arg-type]
        self.steps = StepClient(
            {Service.NLP: pool}, IdentityIssuer(PEM), self.models, RouteTable(ROUTES), self.metrics
        )
        self.in_flight = lambda: sum(replica.in_flight for replica in pool.replicas)

    async def call(self, body: Any = b"{}", path: str = PATH, *, seconds: float = 9, **more: Any):  # type: ignore[no-untyped-def] # noqa: ANN201
        deadline = asyncio.get_running_loop().time() + seconds
        return await self.steps.call(
            Service.NLP, "POST", path, body, PRINCIPAL, deadline, TRACE, **more
        )

    def headers(self) -> dict[str, str]:
        return {k.decode(): v.decode() for k, v in self.client.requests[-1].headers}


async def test_a_step_says_who_sent_it_and_what_it_is_a_part_of() -> None:
    setup = Setup(Client(a=Response(200, b'{"a":1}', [(b"x-more", b"1")])))
    answer = await setup.call(b'{"q":1}')
    assert (answer.status, answer.json(), answer.headers["x-more"]) == (200, {"a": 1}, "1")
    assert answer.replica == A
    headers = setup.headers()
    claims = jwt.decode(headers["x-sg-identity"], options={"verify_signature": False})
    assert (claims["aud"], claims["sub"], claims["tid"]) == ("nlp", "key", "tenant")
    assert headers["x-request-id"] == "mine-1"
    version, trace, span, flags = headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE.trace_id, "01")
    assert span not in (TRACE.span_id, "00f067aa0ba902b7"), "a span of its own"
    assert answer.trace.span_id == span
    assert headers["content-type"] == "application/json"
    assert setup.client.requests[-1].body is not None
    assert setup.client.requests[-1].body.open() == (b'{"q":1}',)


async def test_the_time_that_is_left_is_passed_down() -> None:
    setup = Setup(Client(a=200))
    await setup.call(seconds=3)
    (line,) = (line for line in setup.client.lines[-1].split(b"\r\n") if b"timeout" in line)
    assert 2_000 < int(line.split(b": ")[1]) <= 3_000
    with pytest.raises(DeadlineExceeded) as caught:
        await setup.call(seconds=0)
    assert caught.value.code == "upstream_timeout"
    assert len(setup.client.asked) == 1, "nobody is asked what cannot be answered in time"


async def test_the_model_is_chosen_as_for_a_proxied_request() -> None:
    chosen = ModelChoice("canary", "nmt-large", "2")
    used = [(b"x-sg-model-used", b"variant")]
    setup = Setup(Client(a=Response(200, b"{}", used)), choice=chosen)
    answer = await setup.call(session_id="s-1")
    assert setup.models.asked == [("nmt-model", "key", "s-1")]
    assert setup.headers()["x-sg-model"] == "nmt-large/2"
    assert (answer.variant, answer.model) == ("canary", "nmt-large/2")
    fallback = [(b"x-sg-model-used", b"fallback")]
    setup = Setup(Client(a=Response(200, b"{}", fallback)), choice=chosen)
    answer = await setup.call()
    assert (answer.variant, answer.model) == ("fallback", None)


async def test_a_path_without_a_flag_has_no_choice() -> None:
    setup = Setup(Client(a=200), choice=ModelChoice("canary", "x"))
    for path in ("/api/v1/nlp/sentiment/inference?x=1", "/inside/only/1234"):
        answer = await setup.call(path=path)
        assert answer.variant == "default"
    assert setup.models.asked == []
    assert "x-sg-model" not in setup.headers()
    text = generate_latest(setup.metrics.registry).decode()
    assert 'route="nlp:other"' in text
    assert "1234" not in text


async def test_a_refusal_is_data() -> None:
    body = orjson.dumps(
        {"code": "unsupported_language", "detail": "No.", "errors": [{"pointer": "/config"}, 3]}
    )
    setup = Setup(Client(a=Response(422, body)))
    answer = await setup.call()
    assert not answer.ok
    error = answer.error()
    assert error is not None
    assert (error.status, error.code, error.detail) == (422, "unsupported_language", "No.")
    assert error.members["errors"] == [{"pointer": "/config"}]
    with pytest.raises(StepFailed):
        answer.json()
    with pytest.raises(StepFailed):
        answer.checked()


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (b'{"detail":{"kind":"a","message":"b"}}', "a", "b"),
        (b'{"error":{"code":"a","message":"b","type":"c"}}', "a", "b"),
        (b"<html>", "upstream_error", "The service did not do this step."),
        (b'["a"]', "upstream_error", "The service did not do this step."),
        (b'{"code":7,"detail":[]}', "upstream_error", "The service did not do this step."),
    ],
)
def test_errors_of_every_shape(body: bytes, code: str, detail: str) -> None:
    error = read_error(503, {"retry-after": "7"}, body)
    assert (error.status, error.code, error.detail) == (503, code, detail)
    assert error.headers == {"Retry-After": "7"}


@pytest.mark.parametrize(
    ("told", "expected", "code", "status"),
    [
        (ConnectFailed(), UpstreamUnavailable, "upstream_unavailable", 503),
        (UpstreamBroken(), UpstreamUnavailable, "upstream_broken", 503),
        (UpstreamTimeout(), DeadlineExceeded, "upstream_timeout", 504),
        (401, UpstreamUnavailable, "upstream_refused", 503),
        # What the body itself says is no fault of the service.
        (ClientLeft("Gone."), ClientLeft, "client_disconnected", 499),
        (PayloadTooLarge("Too large."), PayloadTooLarge, "payload_too_large", 413),
    ],
)
async def test_an_outage_is_what_it_is_elsewhere(
    told: Any, expected: Any, code: str, status: int
) -> None:
    setup = Setup(Client(a=told))
    with pytest.raises(expected) as caught:
        await setup.call()
    assert caught.value.code == code
    assert setup.in_flight() == 0
    text = generate_latest(setup.metrics.registry).decode()
    counted = [line for line in text.splitlines() if line.startswith("speechgate_steps_total{")]
    assert len(counted) == 1
    assert f'route="{PATH}"' in counted[0]
    assert f'status="{status}"' in counted[0]


async def test_another_replica_answers_where_one_cannot_be_reached() -> None:
    setup = Setup(Client(a=ConnectFailed(), b=200), A, B)
    for _ in range(5):
        assert (await setup.call()).replica == B


class Breaking(Response):
    """An answer that ends in the middle."""

    def __init__(self, error: Exception) -> None:
        super().__init__(200, b"half", more=True)
        self.error = error

    async def read(self) -> tuple[bytes, bool]:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [(UpstreamBroken(), "upstream_broken"), (UpstreamTimeout(), "upstream_timeout")],
)
async def test_an_answer_that_breaks_off(error: Exception, code: str) -> None:
    response = Breaking(error)
    setup = Setup(Client(a=response))
    with pytest.raises((UpstreamUnavailable, DeadlineExceeded)) as caught:
        await setup.call()
    assert caught.value.code == code  # type: ignore[attr-defined]
    assert (response.closed, setup.in_flight()) == (1, 0)


async def test_an_answer_is_bounded() -> None:
    response = Response(200, b"x" * 101)
    setup = Setup(Client(a=response))
    with pytest.raises(UpstreamUnavailable) as caught:
        await setup.call(max_bytes=100)
    assert caught.value.code == "upstream_answer_too_large"
    assert (response.closed, setup.in_flight()) == (1, 0)
    setup = Setup(Client(a=Response(200, b"x" * 100)))
    assert len((await setup.call(max_bytes=100)).body) == 100


async def test_a_body_as_it_comes() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a"

    setup = Setup(Client(a=200))
    body = parts()
    await setup.call(body, content_type="multipart/form-data; boundary=x")
    sent = setup.client.requests[-1].body
    assert sent is not None
    assert sent.open() is body
    assert setup.headers()["content-type"] == "multipart/form-data; boundary=x"
    assert "content-length" not in setup.headers()


class Hanging(Response):
    async def read(self) -> tuple[bytes, bool]:
        await asyncio.Event().wait()
        raise AssertionError


async def test_cancelling_a_step_gives_its_place_back() -> None:
    response = Hanging(200, b"", more=True)
    setup = Setup(Client(a=response))
    task = asyncio.ensure_future(setup.call())
    await eventually(lambda: setup.in_flight() == 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (response.closed, setup.in_flight()) == (1, 0)
