"""Frames, against the peer of the same library's other side."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol

from gateway.proxy.websocket import CLIENT, SERVER, WebSocket


class Peer:
    """A client of the socket that is tested."""

    def __init__(self, max_bytes: int = 1000) -> None:
        self.protocol = Protocol(CLIENT)
        self.socket = WebSocket(SERVER, self.protocol.receive_data, max_bytes)

    def told(self) -> list[Frame]:
        return [event for event in self.protocol.events_received() if isinstance(event, Frame)]

    def give(self, *, step: int | None = None) -> list[str | bytes]:
        data = b"".join(self.protocol.data_to_send())
        step = step or len(data)
        found: list[str | bytes] = []
        for at in range(0, len(data), step):
            found += self.socket.receive(data[at : at + step])
        return found


@pytest.mark.parametrize("step", [None, 1, 7])
def test_messages_in_any_pieces(step: int | None) -> None:
    peer = Peer()
    peer.protocol.send_text("h\u00e9llo".encode())
    peer.protocol.send_binary(b"\x00" * 300)
    peer.protocol.send_text(b"one ", fin=False)
    peer.protocol.send_ping(b"between")
    peer.protocol.send_continuation(b"two", fin=True)
    assert peer.give(step=step) == ["h\u00e9llo", b"\x00" * 300, "one two"]
    assert [(one.opcode, one.data) for one in peer.told()] == [(Opcode.PONG, b"between")]


def test_both_kinds_are_sent() -> None:
    peer = Peer()
    peer.socket.send("text")
    peer.socket.send(b"bytes")
    kinds = [(one.opcode, bytes(one.data)) for one in peer.told()]
    assert kinds == [(Opcode.TEXT, b"text"), (Opcode.BINARY, b"bytes")]


def test_a_close_is_answered_and_nothing_follows() -> None:
    peer = Peer()
    peer.protocol.send_close(4001)
    assert peer.give() == []
    assert (peer.socket.open, peer.socket.close_code) == (False, 4001)
    assert [one.opcode for one in peer.told()] == [Opcode.CLOSE]
    peer.socket.send("late")
    peer.socket.close(1000)
    assert peer.socket.receive(b"more") == []
    assert peer.told() == []


def test_our_own_close() -> None:
    peer = Peer()
    peer.socket.close(1012)
    assert not peer.socket.open
    assert peer.socket.close_code is None
    peer.give()
    assert peer.socket.close_code == 1012


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x82\x05hello", 1002),  # Not masked.
        (b"\xff\x80" + bytes(4), 1002),
        (b"\x81\x82" + bytes(4) + b"\xff\xfe", 1007),
        (b"\x82\xfe\x03\xe9" + bytes(4) + bytes(1001), 1009),
        (b"\x02\xfe\x03\xe8" + bytes(4) + bytes(1000) + b"\x80\x81" + bytes(5), 1009),
    ],
)
def test_what_is_no_websocket_ends_it(data: bytes, code: int) -> None:
    peer = Peer()
    assert peer.socket.receive(data) == []
    assert not peer.socket.open
    (frame,) = peer.told()
    assert frame.opcode is Opcode.CLOSE
    assert int.from_bytes(frame.data[:2], "big") == code
