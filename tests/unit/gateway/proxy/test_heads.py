import pytest

from gateway.exceptions import BadHeader, BadPath, CredentialRefused
from gateway.proxy.answer import POLICIES, SECURITY, AnswerHead
from gateway.proxy.head import RequestHead, check_path
from gateway.server.response import lines

HOST = (b"host", b"a")


@pytest.mark.parametrize(
    "path",
    [
        b"/api/v1/asr%2finference",
        b"/api/v1/asr%2Finference",
        b"/api/v1/asr%5cinference",
        b"/api/v1/asr/%00",
        b"/api/v1//asr",
        b"//api/v1/asr",
        b"/api/v1/../asr",
        b"/api/v1/..",
        b"/api/v1/./asr",
        b"/api/v1/%2e%2e/asr",
        b"/api/v1/%2E/asr",
        b"/api/v1/asr\\x",
        b"/api/v1/asr\x00",
        b"/api/v1/\xc3\xa9",
        b"/api/v1/%zz",
        b"/api/v1/%",
        b"api",
        b"",
    ],
)
def test_ambiguous_paths_are_refused(path: bytes) -> None:
    with pytest.raises(BadPath) as caught:
        check_path(path)
    assert (caught.value.status, caught.value.code) == (400, "bad_path")


@pytest.mark.parametrize("path", [b"/", b"/api/v1/asr/inference", b"/a/..b/c...", b"/a%20b"])
def test_plain_paths_pass(path: bytes) -> None:
    assert check_path(path) == path.decode()


@pytest.mark.parametrize(
    "headers",
    [
        [HOST, HOST],
        [HOST, (b"host", b"b")],
        [],
        [HOST, (b"x_user_id", b"1")],
        [HOST, (b"content-length", b"1"), (b"content-length", b"1")],
        [HOST, (b"content-length", b"1"), (b"transfer-encoding", b"chunked")],
        [HOST, (b"content-length", b"+1")],
        [HOST, (b"content-length", b"1, 1")],
        [HOST, (b"content-length", b"")],
        [HOST, (b"transfer-encoding", b"gzip, chunked")],
        [HOST, (b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
        [HOST, (b"authorization", b"a"), (b"authorization", b"b")],
        [HOST, (b"x-api-key", b"a"), (b"x-api-key", b"a")],
    ],
)
def test_ambiguous_headers_are_refused(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(BadHeader) as caught:
        RequestHead(headers, "1.1")
    assert (caught.value.status, caught.value.code) == (400, "bad_header")


@pytest.mark.parametrize(
    "named", [b"authorization", b"X-API-Key", b"close, Host", b"content-length"]
)
def test_connection_cannot_take_away_who_this_is(named: bytes) -> None:
    headers = [HOST, (b"x-api-key", b"k"), (b"authorization", b"k"), (b"content-length", b"1")]
    with pytest.raises(BadHeader):
        RequestHead([*headers, (b"connection", named)], "1.1")


def test_what_the_client_may_not_say_is_removed() -> None:
    headers = [
        HOST,
        (b"accept", b"*/*"),
        (b"authorization", b"secret"),
        (b"x-api-key", b"secret"),
        (b"cookie", b"a=b"),
        (b"x-sg-identity", b"forged"),
        (b"x-sg-anything", b"forged"),
        (b"x-user-id", b"forged"),
        (b"x-forwarded-for", b"1.2.3.4"),
        (b"forwarded", b"for=1.2.3.4"),
        (b"connection", b"close, X-Named"),
        (b"connection", b"x-other, traceparent"),
        (b"x-named", b"1"),
        (b"x-other", b"1"),
        (b"traceparent", b"1"),
        (b"x-request-id", b"kept"),
        (b"te", b"trailers"),
        (b"upgrade", b"h2c"),
        (b"proxy-authorization", b"x"),
        (b"keep-alive", b"1"),
        (b"expect", b"100-continue"),
    ]
    head = RequestHead(headers, "1.1")
    assert head.kept == [(b"accept", b"*/*")]
    assert head.noted == {b"x-request-id": b"kept", b"expect": b"100-continue"}


def test_http_1_0_needs_no_host() -> None:
    assert RequestHead([], "1.0").kept == []


def test_answers_lose_hop_by_hop_and_internal_headers() -> None:
    head = AnswerHead(
        [
            (b"content-type", b"a/b"),
            (b"content-length", b"3"),
            (b"connection", b"x-a"),
            (b"x-a", b"1"),
            (b"transfer-encoding", b"chunked"),
            (b"x-sg-secret", b"1"),
            (b"x-sg-model-used", b"pinned"),
            (b"server", b"s"),
            (b"date", b"d"),
            (b"ratelimit", b"forged"),
            (b"x-request-id", b"forged"),
            (b"retry-after", b"3"),
        ]
    )
    assert head.kept == [
        (b"content-type", b"a/b"),
        (b"content-length", b"3"),
        (b"retry-after", b"3"),
    ]
    assert head.protection == lines((*SECURITY, *POLICIES))
    assert (head.framed, head.used) == (True, b"pinned")


def test_an_answers_own_policies_win() -> None:
    own = (b"cache-control", b"max-age=1")
    head = AnswerHead([own, (b"x-frame-options", b"ALLOW")])
    assert head.kept == [own]
    assert head.protection == lines((*SECURITY, POLICIES[0]))
    assert not head.framed


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({b"authorization": b"Bearer k"}, "k"),
        ({b"authorization": b"bearer  k"}, "k"),
        ({b"authorization": b"Apikey k"}, "k"),
        ({b"authorization": b"k"}, "k"),
        ({b"x-api-key": b"k"}, "k"),
    ],
)
def test_every_documented_form_of_a_credential(fields: dict[bytes, bytes], found: str) -> None:
    assert RequestHead([HOST, *fields.items()], "1.1").credential() == found


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "key_missing"),
        ({b"authorization": b""}, "key_missing"),
        ({b"authorization": b"  "}, "key_missing"),
        ({b"authorization": b"Basic dXNlcjpwdw=="}, "key_malformed"),
        ({b"authorization": b"Bearer a b"}, "key_malformed"),
    ],
)
def test_no_credential(fields: dict[bytes, bytes], code: str) -> None:
    head = RequestHead([HOST, *fields.items()], "1.1")
    with pytest.raises(CredentialRefused) as caught:
        head.credential()
    assert caught.value.code == code
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")
