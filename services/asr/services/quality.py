"""How good transcripts are, where the client says what was spoken."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from services.asr.exceptions import empty_reference, unmatched_references
from services.asr.models.transcript import Quality, Transcript
from services.asr.services.quality_measure import measure, plain_words
from shared.problem import DeadlineExceeded, Unavailable

_ROOT = Path(__file__).parents[3]
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]);"
    " from services.asr.services.quality_measure import main; main()"
)
# The alignment takes the product of the lengths and holds the interpreter's lock meanwhile:
# 50,000 characters against as many take half a second, this much takes a millisecond.
_ON_LOOP = 4_000 * 4_000
_TIMEOUT_S = 30.0
_AT_ONCE = 1


class Judge:
    """Compares transcripts with references; long ones in a process of their own."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def judge(
        self, transcripts: Sequence[Transcript], heard: Sequence[str], references: Sequence[str]
    ) -> list[Transcript]:
        """The transcripts with their quality; without a reference, as they are.

        Args:
            transcripts: One of each recording.
            heard: The text of each as the engine gave it: references are spoken words, which
                post processors would have rewritten.
            references: Of each; empty where there is none.
        """
        found = []
        for transcript, text, reference in zip(transcripts, heard, references, strict=True):
            if reference:
                quality = await self._quality(plain_words(reference), plain_words(text))
                transcript = replace(transcript, quality=quality)  # noqa: PLW2901
            found.append(transcript)
        return found

    async def _quality(self, reference: str, heard: str) -> Quality:
        if len(reference) * len(heard) <= _ON_LOOP:
            return Quality(**measure(reference, heard))
        async with self._slots:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-c",
                _BOOT,
                str(_ROOT),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={},
            )
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    answer, _ = await process.communicate(orjson.dumps([reference, heard]))
            except TimeoutError:
                raise DeadlineExceeded("The comparison with the reference took too long.") from None
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        try:
            return Quality(**orjson.loads(answer))
        except (orjson.JSONDecodeError, TypeError) as error:
            raise Unavailable("The comparison with the reference failed.") from error


def check_references(references: Sequence[str], items: int) -> None:
    """Refuse references that cannot be compared with anything.

    Raises:
        InvalidField: `invalid_field` or `empty_reference`.
    """
    if references and len(references) != items:
        raise unmatched_references(items)
    for index, reference in enumerate(references):
        if reference and not plain_words(reference):
            raise empty_reference(f"/audio/{index}/reference")
