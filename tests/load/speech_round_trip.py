"""What a recognizer understands of synthesized speech, in every format and sampling rate."""

import subprocess
import tempfile
from pathlib import Path

import httpx
import jiwer
import numpy as np
import soxr

from shared.audio.encode import OutputFormat, available_formats, holds_rate
from tests.support.recordings import SAMPLE_RATE, EngineAlone, write_wav

VOICE = "en-us+f5"
GOAL = 0.25
RATES = (8_000, 16_000, 22_050, 24_000, 48_000)
# As people speak, in words that are frequent; not chosen by how well they are understood.
SENTENCES = (
    "there are many people standing in front of the old church",
    "he said that he would come back later in the evening",
    "we have been waiting for more than two hours",
    "the company has more than one thousand people",
    "you have to be careful when you are driving at night",
    "a good restaurant is not easy to find around here",
    "the government has not decided what to do about it",
    "we would like to go to the restaurant tonight",
    "i do not know what you are talking about",
    "it is going to be a very long day for all of us",
    "the old man walked slowly along the street",
    "what would you like to have for dinner tonight",
    "nobody wants to talk about the problem any more",
    "this is the most important thing that we have to do",
    "they are looking for somebody who can help them",
    "i am going to call you back in about an hour",
    "many people do not want to live in a big city",
    "you can come with us if you want to",
    "the united states is a very large country",
    "he told me that he was going to be late",
)


def cases() -> list[tuple[OutputFormat, int]]:
    """Every format with every rate that it holds."""
    return [
        (form, rate) for form in available_formats() for rate in RATES if holds_rate(form, rate)
    ]


def espeak(text: str) -> np.ndarray:
    """`[T] int16` at 22,050 Hz, by the program alone."""
    command = ["espeak-ng", "-b", "1", "--stdin", "--stdout", "-v", VOICE, "-s", "140"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    return np.frombuffer(done.stdout[44 : len(done.stdout) // 2 * 2], "<i2")


def wer(heard: list[str]) -> float:
    """Word error rate over all sentences."""
    return float(jiwer.wer(list(SENTENCES[: len(heard)]), heard))


def bare(count: int, rate: int) -> float:
    """WER of the two engines with nothing between them but changes of rate."""
    engine = EngineAlone()
    heard = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for text in SENTENCES[:count]:
                sent = soxr.resample(espeak(text).astype(np.float32), 22_050, rate)
                samples = np.rint(soxr.resample(sent, rate, SAMPLE_RATE))
                integers = np.clip(samples, -32_768, 32_767).astype(np.int16)
                texts, _ = engine.transcribe(write_wav(Path(folder) / "said.wav", integers))
                heard.append(texts[0])
    finally:
        engine.close()
    return wer(heard)


def through(client: httpx.Client, form: OutputFormat, rate: int, count: int) -> float:
    """WER of what the platform speaks and understands, in one format."""
    language = {"sourceLanguage": "en"}
    config = {"language": language, "gender": "female", "voice": VOICE}
    wanted = {**config, "audioFormat": form.value, "samplingRate": rate}
    heard = []
    for text in SENTENCES[:count]:
        spoken = client.post(
            "/api/v1/tts/inference", json={"input": [{"source": text}], "config": wanted}
        )
        assert spoken.status_code == 200, spoken.text
        content = spoken.json()["audio"][0]["audioContent"]
        answer = client.post(
            "/api/v1/asr/inference",
            json={
                "audio": [{"audioContent": content}],
                "config": {"language": language, "audioFormat": form.value, "samplingRate": rate},
            },
        )
        assert answer.status_code == 200, answer.text
        heard.append(answer.json()["output"][0]["source"])
    return wer(heard)


def measure(client: httpx.Client, count: int, *, every_rate: bool) -> bool:
    """Print every case beside the bare engines; whether all meet the goal."""
    print(f"\nsynthesis → recognition, {count} sentences, voice {VOICE}; goal: WER ≤ {GOAL}")
    rates = RATES if every_rate else (SAMPLE_RATE, 24_000)
    for rate in rates:
        print(f"  bare  {rate:6} Hz  {bare(count, rate):.3f}", flush=True)
    met = True
    for form, rate in cases():
        if rate not in rates:
            continue
        found = through(client, form, rate, count)
        met &= found <= GOAL
        verdict = "ok" if found <= GOAL else "MISSED"
        print(f"  {form.value:5} {rate:6} Hz  {found:.3f}  {verdict}", flush=True)
    return met
