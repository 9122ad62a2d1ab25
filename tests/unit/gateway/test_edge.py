import pytest

from gateway.exceptions import BadHeader, BadPath, CredentialRefused
from gateway.middleware.edge import check_path, credential
from gateway.upstream.headers import check_request_headers, request_headers, response_headers

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
        check_request_headers(headers, "1.1")
    assert (caught.value.status, caught.value.code) == (400, "bad_header")


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
        (b"connection", b"x-other"),
        (b"x-named", b"1"),
        (b"x-other", b"1"),
        (b"te", b"trailers"),
        (b"upgrade", b"h2c"),
        (b"proxy-authorization", b"x"),
        (b"keep-alive", b"1"),
        (b"expect", b"100-continue"),
    ]
    own = [(b"x-sg-identity", b"true")]
    assert request_headers(headers, own) == [(b"accept", b"*/*"), (b"x-sg-identity", b"true")]


def test_connection_cannot_remove_what_the_gateway_says() -> None:
    headers = [HOST, (b"connection", b"x-sg-identity, x-request-id")]
    own = [(b"x-sg-identity", b"t"), (b"x-request-id", b"r")]
    assert request_headers(headers, own) == own


def test_answers_lose_hop_by_hop_and_internal_headers() -> None:
    headers = [
        (b"content-type", b"a/b"),
        (b"content-length", b"3"),
        (b"connection", b"x-a"),
        (b"x-a", b"1"),
        (b"transfer-encoding", b"chunked"),
        (b"x-sg-secret", b"1"),
        (b"server", b"s"),
        (b"date", b"d"),
        (b"ratelimit", b"forged"),
        (b"retry-after", b"3"),
    ]
    assert response_headers(headers, []) == [
        (b"content-type", b"a/b"),
        (b"content-length", b"3"),
        (b"retry-after", b"3"),
    ]


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
    assert credential(fields) == found


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
    with pytest.raises(CredentialRefused) as caught:
        credential(fields)
    assert caught.value.code == code
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")
