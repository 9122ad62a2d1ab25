"""`make demo`: the main job, once, on real components, with everything it made on show.

A recording goes through the gateway to its transcript; the transcript is translated; the
translation is spoken. Nothing is canned: give another recording and see.
"""

import argparse
import asyncio
import base64
import contextlib
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import jiwer
from sqlalchemy import text

from deploy.local.info import StackInfo
from deploy.local.stack import Stack, StackOptions
from shared.db.engine import create_engine

RECORDINGS = Path("/usr/share/pocketsphinx/test/data/librivox")
DEFAULT = RECORDINGS / "sense_and_sensibility_01_austen_64kb-0920.wav"
TARGET_LANGUAGE = "es"
SHOWN_WORDS = 8


def reference_of(audio: Path) -> str | None:
    """What is said in the recording, where that is known.

    A text file of the same name beside it, or the recording's line in `transcription` there.
    """
    beside = audio.with_suffix(".txt")
    if beside.is_file():
        return beside.read_text().strip()
    listing = audio.parent / "transcription"
    if listing.is_file():
        for line in listing.read_text().splitlines():
            match = re.fullmatch(r"<s> (.*) </s> \((.*)\)", line)
            if match and match[2] == audio.stem:
                return match[1]
    return None


def word_error_rate(reference: str, hypothesis: str) -> float:
    """Word error rate without regard to case and punctuation."""

    def words(text: str) -> str:
        return " ".join(re.findall(r"[\w']+", text.lower()))

    return float(jiwer.wer(words(reference), words(hypothesis)))


class Demo:
    """Calls the gateway as any client would, and prints what comes back."""

    def __init__(self, info: StackInfo, client: httpx.Client, output: Path) -> None:
        self._info = info
        self._client = client
        self._output = output
        self._made: list[tuple[str, str, str]] = []

    def run(self, audio: Path) -> None:
        """The three steps, then the rows they left."""
        transcript = self.transcribe(audio)
        if transcript:
            self.speak(self.translate(transcript))
        else:
            print("  no speech was found: nothing to translate")
        asyncio.run(self.show_rows())

    def transcribe(self, audio: Path) -> str:
        """Print and return the transcript."""
        print(f"\nSpeech recognition  {audio}")
        with audio.open("rb") as file:
            answer = self._post(
                "asr", "/api/v1/asr/transcribe", files={"file": file}, data={"language": "en"}
            )
        (output,) = answer["output"]
        transcript: str = output["source"]
        self._line("transcript", transcript)
        reference = reference_of(audio)
        if reference:
            self._line("reference", reference)
            self._line("WER", f"{word_error_rate(reference, transcript):.3f}")
        else:
            self._line(
                "WER", f"no reference (a {audio.stem}.txt beside the recording would be one)"
            )
        words = output["words"]
        for word in words[:SHOWN_WORDS]:
            times = f"{word['start']:6.2f} – {word['end']:5.2f} s"
            self._line("", f"{times}  {word['word']:<14} confidence {word['confidence']:.2f}")
        if len(words) > SHOWN_WORDS:
            self._line("", f"… and {len(words) - SHOWN_WORDS} more words")
        timings = {name: f"{value:.0f}" for name, value in answer["timings"].items()}
        self._line("of which", "  ".join(f"{name} {value}" for name, value in timings.items()))
        return transcript

    def translate(self, source: str) -> str:
        """Print and return the translation."""
        print(f"\nTranslation  en → {TARGET_LANGUAGE}")
        language = {"sourceLanguage": "en", "targetLanguage": TARGET_LANGUAGE}
        answer = self._post(
            "nmt",
            "/api/v1/nmt/inference",
            json={"input": [{"source": source}], "config": {"language": language}},
        )
        target: str = answer["output"][0]["target"]
        self._line("translation", target)
        return target

    def speak(self, source: str) -> None:
        """Write the spoken text to a file."""
        print(f"\nSpeech synthesis  {TARGET_LANGUAGE}")
        config = {
            "language": {"sourceLanguage": TARGET_LANGUAGE},
            "gender": "female",
            "audioFormat": "wav",
        }
        answer = self._post(
            "tts", "/api/v1/tts/inference", json={"input": [{"source": source}], "config": config}
        )
        content = base64.b64decode(answer["audio"][0]["audioContent"])
        self._output.mkdir(parents=True, exist_ok=True)
        path = self._output / "translation.wav"
        path.write_bytes(content)
        self._line("audio", f"{path}  ({len(content) / 1000:.0f} kB)")

    async def show_rows(self) -> None:
        """Print the rows that the requests above left in the databases."""
        print("\nIn the databases")
        for task, service, identifier in self._made:
            engine = create_engine(self._info.databases[service], pool_size=1)
            async with engine.connect() as connection:
                for table, column in (
                    (f"{task}_requests", "id"),
                    (f"{task}_results", "request_id"),
                ):
                    found = await connection.execute(
                        text(f"SELECT * FROM {table} WHERE {column} = :id"),  # noqa: S608 - our own names
                        {"id": identifier},
                    )
                    for row in found.mappings():
                        self._line(table, _summary(dict(row)))
            await engine.dispose()

    def _post(self, task: str, path: str, **content: Any) -> dict[str, Any]:
        started = time.perf_counter()
        answer = self._client.post(path, **content)
        milliseconds = (time.perf_counter() - started) * 1000
        if answer.is_error:
            sys.exit(f"{path} answered {answer.status_code}: {answer.text}")
        document: dict[str, Any] = answer.json()
        self._made.append((task, {"nmt": "nlp"}.get(task, task), document["id"]))
        self._line("request id", answer.headers["x-request-id"])
        self._line("latency", f"{milliseconds:.0f} ms through the gateway")
        return document

    @staticmethod
    def _line(label: str, value: str) -> None:
        print(f"  {label:<12} {value}")


def _summary(row: Mapping[str, Any]) -> str:
    shown = []
    for name, value in row.items():
        if value is None or name in {"request_id", "trace_id", "position", "created_at"}:
            continue
        short = str(value)
        shown.append(f"{name}={short[:40]}{'…' if len(short) > 40 else ''}")  # noqa: PLR2004 - fits a line
    return "  ".join(shown)


@contextlib.contextmanager
def running_stack(run_dir: Path) -> Iterator[StackInfo]:
    """A stack of the demo's own, stopped at the end."""
    started = time.perf_counter()
    print("Starting Triton, the services and the gateway …", flush=True)
    with Stack(StackOptions(kind="embedded", run_dir=run_dir)) as stack:
        print(f"Ready in {time.perf_counter() - started:.1f} s at {stack.info.gateway_url}")
        yield stack.info


def main() -> None:
    """Run the demo on the given recording, or on one that Debian ships."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("audio", nargs="?", type=Path, default=DEFAULT, help="a recording")
    parser.add_argument("--run-dir", type=Path, default=Path(".run/demo"))
    arguments = parser.parse_args()
    if not arguments.audio.is_file():
        parser.error(f"no such file: {arguments.audio}")
    began = time.perf_counter()
    with running_stack(arguments.run_dir) as info:
        key = Path(info.admin_key_file).read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=info.gateway_url, headers=headers, timeout=120) as client:
            Demo(info, client, arguments.run_dir / "output").run(arguments.audio)
    print(f"\nDone in {time.perf_counter() - began:.1f} s; everything was stopped again.")


if __name__ == "__main__":
    main()
