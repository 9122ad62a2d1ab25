from typing import cast

from gateway.proxy.known_heads import KnownHeads
from gateway.proxy.repeat import Repeat, parts_of


def repeat() -> Repeat:
    return cast("Repeat", object())


def test_the_heads_that_were_used_last_stay() -> None:
    heads, kept = KnownHeads(), repeat()
    heads.put(("a", b"kept", b""), kept)
    for number in range(1_000):
        heads.put(("a", b"%d" % number, b""), repeat())
        assert heads.get(("a", b"kept", b"")) is kept
    known = sum(heads.get(("a", b"%d" % number, b"")) is not None for number in range(1_000))
    assert known == 255
    assert heads.get(("b", b"kept", b"")) is None


def test_a_large_head_is_not_kept() -> None:
    heads = KnownHeads()
    heads.put(("a", bytes(2048), b""), repeat())
    heads.put(("a", bytes(2047), b"xx"), repeat())
    assert heads.get(("a", bytes(2048), b"")) is not None
    assert heads.get(("a", bytes(2047), b"xx")) is None


def test_a_head_is_known_by_all_but_the_length_of_its_body() -> None:
    one = b"POST / HTTP/1.1\r\nContent-Length: %d\r\nHost: a\r\n\r\n"
    assert parts_of(one % 5) == parts_of(one % 1234)
    assert parts_of(one % 5) != parts_of(one.replace(b"Host: a", b"Host: b") % 5)
    bodyless = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    assert parts_of(bodyless) == (bodyless, b"")
