import base64
import json
from typing import Any

import jiwer
import numpy as np
import soxr
from tritonclient.grpc import InferenceServerClient, InferInput

from deploy.local.triton import TritonServer
from tests.support.live_app import LiveApp

TEXT = "i would like to have a cup of coffee and some bread please"


def words(name: str, text: str) -> InferInput:
    given = InferInput(name, [1], "BYTES")
    given.set_data_from_numpy(np.array([text.encode()], dtype=object))
    return given


def infer(triton: TritonServer, model: str, inputs: list[InferInput], output: str) -> Any:
    with InferenceServerClient(triton.grpc_url) as client:
        return client.infer(model, inputs).as_numpy(output)


def transcript(triton: TritonServer, samples: np.ndarray) -> str:
    audio = InferInput("AUDIO_PCM", list(samples.shape), "INT16")
    audio.set_data_from_numpy(samples)
    answer = infer(triton, "asr", [audio, words("LANG_ID", "en")], "TRANSCRIPTS")
    text: str = json.loads(answer.reshape(-1)[0])["text"]
    return text


def test_what_is_spoken_is_understood(app: LiveApp, triton: TritonServer) -> None:
    """Joining, resampling and encoding cost a recognizer nothing."""
    inputs = [
        words("INPUT_TEXT", TEXT),
        words("INPUT_SPEAKER_ID", "en-us+f5"),
        words("INPUT_LANGUAGE_ID", "en"),
    ]
    bare = infer(triton, "tts", inputs, "OUTPUT_GENERATED_AUDIO").reshape(-1)
    at_16k = np.rint(np.clip(soxr.resample(bare, 22_050, 16_000), -1, 1) * 32767)
    expected = transcript(triton, at_16k.astype(np.int16))

    document = {
        "input": [{"source": TEXT}],
        "config": {
            "language": {"sourceLanguage": "en"},
            "gender": "female",
            "audioFormat": "pcm",
            "samplingRate": 16_000,
        },
    }
    with app.client() as client:
        answer = client.post("/api/v1/tts/inference", json=document).json()
    data = base64.b64decode(answer["audio"][0]["audioContent"])
    heard = transcript(triton, np.frombuffer(data, np.int16))
    assert heard == expected
    assert jiwer.wer(TEXT, heard) <= 0.25
