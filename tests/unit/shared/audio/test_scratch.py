"""Scratch files: nameless, counted, bounded, gone when nobody needs them."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audio.scratch import Scratch, StoredPcm
from shared.audio.view import FileView
from shared.metrics import Metrics
from shared.problem import Unavailable

ROOT = Path(__file__).parents[4]


def test_what_is_written_is_counted_until_it_is_closed(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "new", 100)
    with scratch.file() as file:
        file.append(b"12345")
        file.append(memoryview(b"678"))
        assert os.pread(file.descriptor, 100, 0) == b"12345678"
        assert (file.size, scratch.used) == (8, 8)
        assert list((tmp_path / "new").iterdir()) == [], "it has no name"
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert scratch.used == 0
    file.close()
    assert scratch.used == 0
    with pytest.raises(ValueError, match="closed"):
        file.append(b"1")


def test_beyond_the_bound_it_is_said(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, 10)
    with scratch.file() as first, scratch.file() as second:
        first.append(b"123456")
        with pytest.raises(Unavailable) as caught:
            second.append(b"12345")
        assert (caught.value.status, caught.value.code) == (503, "scratch_full")
        assert second.claim(100) == 4
        second.settle(2)
        assert scratch.used == 8
    assert scratch.used == 0


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Scratch(tmp_path, 10).file() as file:
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(Unavailable, match="room"):
            file.append(b"1")


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "folder", 10)
    (tmp_path / "folder").rmdir()
    with pytest.raises(Unavailable):
        scratch.file()


def test_a_file_system_without_nameless_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.open

    def limited(path: str, flags: int, *mode: int) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return whole(path, flags, *mode)

    monkeypatch.setattr(os, "open", limited)
    with Scratch(tmp_path, 10).file() as file:
        file.append(b"1")
        assert list(tmp_path.iterdir()) == []


def test_who_holds_a_file_keeps_it(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, 10)
    file = scratch.file()
    file.append(b"1")
    release = file.hold()
    file.close()
    assert os.pread(file.descriptor, 1, 0) == b"1"
    assert scratch.used == 1
    release()
    assert scratch.used == 0
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(file.descriptor)


def test_a_killed_process_leaves_nothing(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from shared.audio.scratch import Scratch

        file = Scratch(Path(sys.argv[1]), 1 << 20).file()
        file.append(bytes(1 << 19))
        print(os.fstat(file.descriptor).st_blocks > 0, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"True\n")
    assert list(tmp_path.iterdir()) == []


def test_the_bytes_are_shown(tmp_path: Path) -> None:
    metrics = Metrics("test")
    with Scratch(tmp_path, 10, metrics).file() as file:
        file.append(b"123")
        assert metrics.registry.get_sample_value("speechgate_scratch_bytes") == 3


class TestPcm:
    def test_a_slice_is_read(self, tmp_path: Path) -> None:
        samples = np.arange(1000, dtype=np.int16)
        with Scratch(tmp_path, 1 << 20).file() as file:
            file.append(b"head" + samples.tobytes())
            pcm = StoredPcm(file, 4, 1000)
            assert len(pcm) == 1000
            for part in (slice(0, 10), slice(990, 2000), slice(None), slice(5, 5), slice(-3, None)):
                assert np.array_equal(pcm[part], samples[part])
            with pytest.raises(ValueError, match="consecutive"):
                pcm[::2]
        with pytest.raises(ValueError, match="closed"):
            pcm[:1]


@given(
    content=st.binary(max_size=60),
    start=st.integers(0, 70),
    patch=st.none() | st.tuples(st.integers(0, 40), st.binary(max_size=20)),
    span=st.tuples(st.integers(-5, 80), st.integers(-5, 80)),
)
def test_a_view_is_the_file_without_its_head_and_with_its_patch(
    content: bytes, start: int, patch: tuple[int, bytes] | None, span: tuple[int, int]
) -> None:
    expected = bytearray(content[start:])
    if patch is not None:
        place, new = patch
        new = new[: max(len(expected) - place, 0)]
        expected[place : place + len(new)] = new
    with tempfile.TemporaryDirectory() as folder, Scratch(Path(folder), 100).file() as file:
        file.append(content)
        view = FileView(file.descriptor, len(content)).without(start)
        if patch is not None:
            view = view.patched(*patch)
        assert view.size == len(expected)
        assert view.part(*span) == bytes(expected[max(span[0], 0) : max(span[1], 0)])
        view.seek(3)
        assert view.read(7) == bytes(expected[3:10])
        assert view.tell() == min(3 + 7, max(len(expected), 3))
        assert view.seek(0, os.SEEK_END) == len(expected)
