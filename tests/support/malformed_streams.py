"""Sessions of live recognition that go wrong in random ways, the same for the same seed."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.support.mutated_audio import originals

Message = str | bytes


class Wire(StrEnum):
    """How the messages of a session travel."""

    NATIVE = "native"
    FRAMES = "frames"
    """Bytes in the place of the WebSocket's own frames."""
    SOCKET_IO = "socket.io"
    POLLING = "polling"


@dataclass(frozen=True)
class Session:
    """What a client sends.

    Attributes:
        wire: How.
        query: Of the handshake.
        messages: In order.
        polite: Whether it closes; else it breaks off.
    """

    wire: Wire
    query: str
    messages: tuple[Message, ...]
    polite: bool


_LIES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 7, 2**31, 2**63, -(2**63), 1e308, 0.5, "", " ", "en", "x" * 5_000, "\x00",
    "../../etc/passwd", "\ud800", [], [[]], {}, {"a": {}}, [None] * 100, "pcm_s16le", "NaN",
)  # fmt: skip
_MEMBERS = (
    "type", "sample_rate", "encoding", "language", "interim", "interim_ms", "endpoint_ms",
    "service_id", "pre_processors", "post_processors", "data_tracking", "session_id",
    "resume_from", "unheard_of",
)  # fmt: skip
_DEEP = "[" * 3_000
_QUERIES = (
    "", "language=en&samplingRate=16000", "samplingRate=-1", "samplingRate=1e9", "language=",
    "language=%00", "encoding=opus", "preProcessors=[", "postProcessors=%5B1%5D",
    "serviceId=nothing", "&".join(f"a{n}=1" for n in range(200)), "language=xx&language=en",
)  # fmt: skip


def _audio(rng: random.Random, speech: bytes) -> bytes:
    """A frame of sound, of noise, or of a size that no frame has."""
    size = rng.choice((0, 1, 2, 3, 641, 3_200, 3_200, 3_200, 32_000, 300_000))
    return rng.choice((speech[:size], rng.randbytes(size), bytes(size)))


def _damaged(rng: random.Random, text: str) -> str:
    place = rng.randrange(len(text))
    return rng.choice(
        (text[:place], text[place:], text[:place] + chr(rng.randrange(1, 0x2FF)) + text[place:])
    )


def _start(rng: random.Random) -> Message:
    start: dict[str, Any] = {"type": "start"}
    if rng.random() < 0.7:
        for member in rng.sample(_MEMBERS, rng.randint(1, 2)):
            start[member] = rng.choice(_LIES)
    text = json.dumps(start)
    return _damaged(rng, text) if rng.random() < 0.2 else text


def _native(rng: random.Random, speech: bytes) -> list[Message]:
    messages: list[Message] = [_start(rng)]
    messages += [_audio(rng, speech) for _ in range(rng.randint(0, 6))]
    messages += ['{"type": "stop"}'] * rng.choice((0, 1, 1, 2))
    for _ in range(rng.randint(0, 3)):
        wrong: Message = rng.choice(
            (
                "", "{", "null", "[]", '"start"', '{"type": "start"}', '{"type": 1}', _DEEP,
                '{"type": "flush"}', '{"type": "stop", "x": 1}', b"", b"\x00", "é" * 100,
                "x" * 70_000, b'{"type": "stop"}', speech[:100],
            )
        )  # fmt: skip
        messages.insert(rng.randint(0, len(messages)), wrong)
    return messages


def _frames(rng: random.Random, speech: bytes) -> list[Message]:
    """A start as it should be, then no frames of RFC 6455, or ones that break its rules."""
    del speech
    wrong = [
        rng.randbytes(rng.randint(1, 400)),
        b"\x81\x05hello",  # Without a mask, as only servers may send.
        b"\xc1\x80\x00\x00\x00\x00",  # A reserved bit.
        b"\x83\x80\x00\x00\x00\x00",  # A reserved opcode.
        b"\x89\xfe\x01\x00" + bytes(260),  # A ping of 256 bytes.
        b"\x81\xff\x7f" + b"\xff" * 7 + bytes(4),  # A length of 2^63 - 1.
        b"\x81\x82\x00\x00\x00\x00\xc3\x28",  # Text that is no UTF-8.
        b"\x80\x80\x00\x00\x00\x00",  # The rest of a message that never began.
        b"\x88\x81\x00\x00\x00\x00\x03",  # A close with half a code.
        b"\x88\x82\x00\x00\x00\x00\x03\xed",  # A close with a code that is never sent.
    ]
    return ['{"type": "start"}', rng.choice(wrong), *rng.choices(wrong, k=rng.randint(0, 2))]


def _packet(rng: random.Random, speech: bytes) -> list[Message]:
    """An event and its attachments, more or less as Socket.IO writes them."""
    del speech
    lie = json.dumps(rng.choice(_LIES))
    task = '{"taskType":"asr","config":{"language":{"sourceLanguage":"en"}}}'
    return [
        rng.choice(
            (
                '42["start",{}]', '42["start"]', f'42["start",{lie}]', f'42["start",[{lie}]]',
                f'42["start",[{task}],{{"responseFrequencyInSecs":{lie}}}]',
                f'42["start",[{task},{task}]]', f'42["data",{lie},{lie},{lie}]', '42["data"]',
                f'42["data",{{"audio":[{{"audioContent":{lie}}}]}},{{}},true,true]',
                f'42["data",{{"audio":{lie}}}]', '42["data",null,true,true]', '42["stop",1,2]',
                f'42["nothing",{lie}]', "42", "42[]", "42[1]", "42{}", "4", "40", "41", "44{}",
                "40/other,", '42/other,["start"]', '4299999999999["start"]', "45", "45999-",
                '451-["data",{"_placeholder":true,"num":7},true,false]',
                '451-["data",{"_placeholder":true,"num":-1}]', '46["x"]', "2", "2probe", "5", "6",
                "9", "é", "", "x" * 5_000, "42" + _DEEP, '42["connect"]', '42["disconnect"]',
            )
        )
    ]  # fmt: skip


def _attached(rng: random.Random, speech: bytes) -> list[Message]:
    head = '451-["data",{"_placeholder":true,"num":0},true,' + rng.choice(("false]", "true]"))
    return [head, _audio(rng, speech)] if rng.random() < 0.8 else [_audio(rng, speech), head]


def _socket_io(rng: random.Random, speech: bytes) -> list[Message]:
    messages: list[Message] = ["40"] if rng.random() < 0.9 else []
    if rng.random() < 0.6:
        messages.append('42["start",{}]')
    for _ in range(rng.randint(1, 8)):
        messages += rng.choice((_packet, _attached))(rng, speech)
    return messages


_MAKERS: dict[Wire, Callable[[random.Random, bytes], list[Message]]] = {
    Wire.NATIVE: _native,
    Wire.FRAMES: _frames,
    Wire.SOCKET_IO: _socket_io,
    Wire.POLLING: _socket_io,
}
_SHARES = (Wire.NATIVE,) * 4 + (Wire.FRAMES,) + (Wire.SOCKET_IO,) * 3 + (Wire.POLLING,) * 2


def malformed_sessions(seed: int) -> Iterator[Session]:
    """Sessions without end."""
    rng = random.Random(seed)
    speech = originals(1.0)["wav"][44:]
    while True:
        wire = rng.choice(_SHARES)
        socket_io = wire in (Wire.SOCKET_IO, Wire.POLLING)
        query = rng.choice(_QUERIES) if socket_io and rng.random() < 0.5 else ""
        yield Session(wire, query, tuple(_MAKERS[wire](rng, speech)), rng.random() < 0.7)
