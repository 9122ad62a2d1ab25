from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from gateway.upstream.frames import FrameTracker, close_frame

LENGTHS = st.one_of(st.integers(0, 130), st.sampled_from([125, 126, 127, 65535, 65536, 70000]))


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    opcode = draw(st.sampled_from([Opcode.CONT, Opcode.TEXT, Opcode.BINARY, Opcode.PING]))
    length = draw(LENGTHS)
    if opcode is Opcode.PING:
        length %= 126
    frame = Frame(opcode, b"\x88" * length, fin=draw(st.booleans()) or opcode is Opcode.PING)
    return frame.serialize(mask=draw(st.booleans()), extensions=[])


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def boundaries(sequence: list[bytes]) -> set[int]:
    found, at = {0}, 0
    for frame in sequence:
        at += len(frame)
        found.add(at)
    return found


@given(st.lists(frames(), max_size=6), st.lists(st.integers(0, 200_000), max_size=30))
def test_boundaries_are_known_however_the_frames_are_split(
    sequence: list[bytes], places: list[int]
) -> None:
    tracker, at, known = FrameTracker(), 0, boundaries(sequence)
    for part in cut(b"".join(sequence), places):
        assert tracker.feed(part) == len(part)
        at += len(part)
        assert tracker.between_frames is (at in known)
    assert not tracker.closing


@given(
    st.lists(frames(), min_size=1, max_size=6),
    st.lists(st.integers(0, 200_000), max_size=30),
    st.integers(0, 10),
)
def test_a_frame_can_be_put_behind_the_one_under_way(
    sequence: list[bytes], places: list[int], begin: int
) -> None:
    parts, known = cut(b"".join(sequence), places), boundaries(sequence)
    tracker, at = FrameTracker(), 0
    for part in parts[:begin]:
        at += tracker.feed(part)
    if tracker.between_frames:
        return
    following = min(boundary for boundary in known if boundary > at)
    for part in parts[begin:]:
        at += tracker.feed(part, until_boundary=True)
        if tracker.between_frames:
            break
    assert at == following


@given(st.lists(frames(), max_size=3), st.lists(st.integers(0, 200_000), max_size=10))
def test_a_close_frame_is_noticed(sequence: list[bytes], places: list[int]) -> None:
    tracker = FrameTracker()
    for part in cut(b"".join([*sequence, close_frame(1012)]), places):
        tracker.feed(part)
    assert tracker.closing
    assert tracker.between_frames


def test_the_close_frame_is_the_libraries_own() -> None:
    frame = Frame(Opcode.CLOSE, (1012).to_bytes(2, "big"))
    assert close_frame(1012) == frame.serialize(mask=False, extensions=[])
