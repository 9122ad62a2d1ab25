"""Long and many-channelled audio, and the files that it lies in meanwhile."""

import asyncio
import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import jiwer
import numpy as np
import pytest
import soundfile

from deploy.local.triton import TritonServer
from services.asr.inference.vad_model import VadModel, parse_timestamps
from services.asr.models.audio import SAMPLE_RATE
from shared.metrics import Metrics
from shared.triton.client import TritonClient
from tests.support.long_speech import long_speech
from tests.support.media_files import media
from tests.support.poll import eventually
from tests.support.recordings import recordings, write_wav

TRANSCRIBE = "/api/v1/asr/transcribe"
SHORT, OTHER = recordings()[4], recordings()[3]


def output(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["output"][0]
    return found


def upload(service: Any, content: bytes, **fields: str) -> httpx.Response:
    response: httpx.Response = service.client.post(
        TRANSCRIBE, files={"file": ("a.wav", content)}, data=fields
    )
    return response


def encoded(samples: Any, rate: int = SAMPLE_RATE, kind: str = "WAV", sub: str = "PCM_16") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=sub)
    return buffer.getvalue()


def side_by_side(*tracks: Any) -> Any:
    """Tracks as channels, the shorter ones ending in silence."""
    longest = max(map(len, tracks))
    return np.stack([np.pad(one, (0, longest - len(one))) for one in tracks], 1)


async def test_speech_in_pieces_is_the_speech_of_the_whole(triton: TritonServer) -> None:
    """Nine minutes, the most that the model takes at once being ten."""
    pcm = long_speech(540, seed=3).pcm
    client = TritonClient(triton.grpc_url, 60.0, Metrics("test"))
    try:
        whole, joined = await asyncio.gather(
            client.infer("vad", {"AUDIO_PCM": pcm}, "TIMESTAMPS"),
            VadModel(client, "vad").detect(pcm),
        )
    finally:
        await client.close()
    assert len(joined) > 80
    assert joined == parse_timestamps(whole.flat[0])


def test_a_minute_loses_no_word_at_a_cut(service: Any, tmp_path: Path) -> None:
    """More segments than are recognized at once."""
    speech = long_speech(75, seed=2)
    content = write_wav(tmp_path / "long.wav", speech.pcm).read_bytes()
    found = output(upload(service, content))
    alone = {one.name: output(upload(service, one.path.read_bytes())) for one in recordings()}
    texts = [alone[one.name]["source"] for one in speech.said]
    errors = jiwer.wer(speech.reference, found["source"])
    assert errors - jiwer.wer(speech.reference, " ".join(texts)) <= 0.05
    times = [time for word in found["words"] for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert found["duration"] == 75.0
    assert len(found["segments"]) > 3


class TestChannels:
    def test_each_is_recognized_by_itself(self, service: Any) -> None:
        content = encoded(side_by_side(SHORT.samples(), OTHER.samples()))
        response = upload(service, content, channels="separate")
        found = output(response)
        for channel, one in enumerate((SHORT, OTHER)):
            alone = output(upload(service, encoded(one.samples())))
            mine = [word for word in found["words"] if word.pop("channel") == channel]
            assert [word["word"] for word in mine] == alone["source"].split()
            (segment,) = [one for one in found["segments"] if one["channel"] == channel]
            assert segment["text"] == alone["source"]
            found["words"] = [{**word, "channel": 1} for word in found["words"] if word not in mine]
        seconds = 2 * len(OTHER.samples()) / SAMPLE_RATE
        assert response.json()["usage"]["audio_seconds"] == pytest.approx(seconds, abs=0.01)

    def test_their_words_are_in_order_of_time(self, service: Any) -> None:
        content = encoded(side_by_side(SHORT.samples(), OTHER.samples()))
        found = output(service.infer(content, channels="separate"))
        starts = [word["start"] for word in found["words"]]
        assert starts == sorted(starts)
        assert {word["channel"] for word in found["words"]} == {0, 1}
        stored = service.client.get(f"/api/v1/asr/requests/{last_id(service)}").json()
        assert stored["output"][0]["words"] == found["words"]

    def test_mixed_words_name_none(self, service: Any) -> None:
        content = encoded(side_by_side(SHORT.samples(), SHORT.samples()))
        found = output(upload(service, content, channels="mix"))
        assert found["words"] == output(upload(service, encoded(SHORT.samples())))["words"]
        assert "channel" not in found["words"][0]

    def test_they_are_bounded(self, make_service: Any) -> None:
        service = make_service(asr_max_audio_s=10.0)
        four = np.zeros((3 * SAMPLE_RATE, 4), np.int16)
        response = upload(service, encoded(four), channels="separate")
        assert (response.status_code, response.json()["code"]) == (413, "audio_too_long")
        assert upload(service, encoded(four)).status_code == 200
        nine = np.zeros((100, 9), np.int16)
        response = upload(service, encoded(nine), channels="separate")
        assert (response.status_code, response.json()["code"]) == (422, "too_many_channels")
        response = upload(service, encoded(four), channels="left")
        assert (response.status_code, response.json()["code"]) == (422, "validation_failed")


def last_id(service: Any) -> str:
    """Of a request that is sent now, by the same sender."""
    content = encoded(side_by_side(SHORT.samples(), OTHER.samples()))
    found: str = service.infer(content, channels="separate").json()["id"]
    return found


class TestTelephone:
    @pytest.mark.parametrize("law", ["ULAW", "ALAW"])
    def test_headerless_and_in_a_wav(self, service: Any, law: str) -> None:
        telephone = OTHER.samples()[::2] / 32_768
        inside = output(upload(service, encoded(telephone, 8_000, "WAV", law)))
        assert jiwer.wer(OTHER.reference, inside["source"]) < 0.6
        bare = encoded(telephone, 8_000, "RAW", law)
        name = {"ULAW": "mulaw", "ALAW": "alaw"}[law]
        assert output(upload(service, bare, audio_format=name)) == inside
        assert output(upload(service, bare, encoding=name.upper(), sampling_rate="8000")) == inside
        assert output(service.infer(bare, encoding=name)) == inside


@pytest.mark.parametrize("kind", ["m4a", "webm", "aac"])
def test_what_browsers_and_telephones_record(service: Any, kind: str) -> None:
    pytest.importorskip("av", reason="the extra `media` is not installed")
    content = media(np.repeat(OTHER.samples(), 3), 48_000, kind)
    alone = output(upload(service, encoded(OTHER.samples())))
    assert jiwer.wer(alone["source"], output(upload(service, content))["source"]) < 0.3


class TestScratch:
    def test_a_full_one_is_said_and_ends(self, make_service: Any, tmp_path: Path) -> None:
        service = make_service(scratch_dir=tmp_path / "scratch", scratch_max_bytes=230_000)
        content = encoded(SHORT.samples())
        response = upload(service, content * 3)
        assert (response.status_code, response.json()["code"]) == (503, "scratch_full")
        assert response.headers["retry-after"]
        # Room for the file, but not for what comes out of it.
        flac = encoded(OTHER.samples(), SAMPLE_RATE, "FLAC")
        assert upload(service, flac).json()["code"] == "scratch_full"
        assert output(upload(service, content))["source"]
        assert used(service) == 0
        assert list((tmp_path / "scratch").iterdir()) == []

    def test_nothing_is_left_open(self, service: Any) -> None:
        refused = {"file": ("a.wav", b"no audio")}

        def ask() -> int:
            for data in ({}, {"language": "xx"}, {"colour": "red"}):
                for _ in range(5):
                    assert service.client.post(TRANSCRIBE, files=refused, data=data).is_error
            assert upload(service, encoded(SHORT.samples())).status_code == 200
            assert used(service) == 0
            return open_files()

        rounds = [ask() for _ in range(8)]
        # Connections to the database open when first needed, and stay; a leak adds in each round.
        assert min(after - before for before, after in pairwise(rounds)) <= 0
        assert rounds[-1] - rounds[0] <= FILES_PER_CONNECTION * service.settings.database_pool_size

    def test_a_client_that_leaves_frees_its_files(self, make_service: Any) -> None:
        service = make_service()
        content = encoded(np.tile(OTHER.samples(), 20))
        url, auth = service.client.base_url, service.client.auth

        async def leave() -> None:
            async with httpx.AsyncClient(base_url=url, auth=auth, timeout=60) as client:
                sending = asyncio.create_task(client.post(TRANSCRIBE, files={"file": content}))
                await eventually(lambda: used(service) > len(content), timeout_s=20)
                sending.cancel()
                await asyncio.wait([sending])
                assert sending.cancelled()
            await eventually(lambda: used(service) == 0, timeout_s=20)

        asyncio.run(leave())

    def test_an_upload_may_be_larger_than_other_bodies(self, make_service: Any) -> None:
        service = make_service(max_body_bytes=50_000, asr_max_upload_bytes=150_000)
        content = encoded(SHORT.samples())
        assert 50_000 < len(content) < 150_000
        assert upload(service, content).status_code == 200
        assert service.infer(content).status_code == 413
        assert upload(service, content * 2).status_code == 413


FILES_PER_CONNECTION = 3
"""SQLite's: database, write-ahead log and its index."""


def open_files() -> int:
    """Of this process, and so of the service in it."""
    return len(list(Path("/proc/self/fd").iterdir()))


def used(service: Any) -> float:
    """Bytes in scratch files."""
    lines = service.client.get("/metrics").text.splitlines()
    line = next(one for one in lines if one.startswith("speechgate_scratch_bytes "))
    return float(line.rsplit(" ", 1)[1])


PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="%b"\r\n\r\n%b\r\n'


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n", 400),
        (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF', 400),
        (b"no form at all", 400),
        (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\r\n--x--', 422),
        (b"".join(PART % (name, name) for name in (b"a", b"b")) + b"--x--", 422),
        (
            b'--x\r\nContent-Disposition: form-data; name="n"\r\n\r\n%b\r\n--x--' % bytes(300_000),
            400,
        ),
        (b'--x\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n' * 200 + b"--x--", 400),
    ],
    ids=["nameless", "cut", "none", "empty file", "two files", "large field", "many fields"],
)
def test_malformed_forms(service: Any, form: bytes, status: int) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = service.client.post(TRANSCRIBE, content=form, headers=headers)
    assert response.status_code == status, response.text
    assert used(service) == 0
