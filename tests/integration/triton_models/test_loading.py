"""Loading without an engine, and getting over dead Python processes."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient.utils import InferenceServerException

from deploy.local.process import LauncherError
from deploy.local.triton import TritonServer
from tests.support.poll import eventually

MODELS = Path(__file__).resolve().parents[3] / "triton_models"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_lost_process_is_replaced(
    client: Any, triton: TritonServer, number: signal.Signals
) -> None:
    silence = np.zeros(16_000, np.int16)
    before = triton.stub_pids("asr")
    assert len(before) == 2
    os.kill(before[0], number)

    async def whole() -> bool:
        new = triton.stub_pids("asr")
        if len(new) != 2 or set(new) & set(before):
            return False
        try:
            for _ in range(4):  # both instances answer
                await client.infer("asr", timeout=2, AUDIO_PCM=silence, LANG_ID="en")
        except InferenceServerException:
            return False
        return True

    await eventually(whole, timeout_s=30)


def test_a_missing_program_fails_the_load_by_name(tmp_path: Path) -> None:
    # A copy that looks for its modes where there are none stands for a machine without them.
    shutil.copytree(MODELS / "nmt", tmp_path / "models" / "nmt")
    config = tmp_path / "models" / "nmt" / "config.pbtxt"
    text = config.read_text()
    assert "/usr/share/apertium/modes" in text
    config.write_text(text.replace("/usr/share/apertium/modes", "/nowhere"))
    server = TritonServer(tmp_path / "models", tmp_path / "run")
    try:
        with pytest.raises(LauncherError, match="apt packages apertium-eng-spa"):
            server.start(30)
    finally:
        server.stop()
