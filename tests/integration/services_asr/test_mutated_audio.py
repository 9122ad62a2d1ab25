"""Damaged files against the running service: told apart, answered, nothing left behind.

`python -m tests.load.fuzz_audio` does the same with thousands.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from tests.support.mutated_audio import mutated

FILES = 150
TRANSCRIBE = "/api/v1/asr/transcribe"


def test_damaged_files(service: Any) -> None:
    def send(found: tuple[str, bytes]) -> tuple[str, int, str]:
        name, content = found
        files = {"file": ("a", content)}
        response = service.client.post(TRANSCRIBE, files=files, data={"channels": "separate"})
        return name, response.status_code, response.json().get("code", "")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, islice(mutated(seed=7), FILES)))
    assert {status for _, status, _ in answers} <= {200, 413, 415, 422}, answers
    codes = Counter(code for *_, code in answers)
    # They are no mere rubbish: some are still audio, some are cut, some lie.
    assert codes[""] > FILES // 10
    assert len(codes) > 4
    lines = service.client.get("/metrics").text.splitlines()
    assert "speechgate_scratch_bytes 0.0" in lines
