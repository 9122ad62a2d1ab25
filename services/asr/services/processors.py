"""What may run before and after recognition."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from services.asr.exceptions import (
    unknown_processor,
    unserved_processor_language,
    unsupported_processor,
)
from services.asr.models.transcript import Transcript, Utterance, Word
from shared.text import itn, punctuation
from shared.text.languages import primary_language

PostProcessor = Callable[[Transcript, str], Awaitable[Transcript]]
"""Rewrites a transcript, given its language."""

PRE_PROCESSORS = frozenset({"vad", "denoiser"})
SERVED_PRE_PROCESSORS = frozenset({"vad"})
POST_PROCESSORS = ("itn", "punctuation")
"""In the order in which they run: "five dollars." is no longer an amount."""
_ON_LOOP_WORDS = 500


@dataclass(frozen=True, slots=True)
class TextProcessor:
    """A rewriting of words and texts that takes no other process.

    Attributes:
        languages: Primary language tags that it knows.
        rewrite: The work.
    """

    languages: frozenset[str]
    rewrite: Callable[[Transcript], Transcript]

    async def __call__(self, transcript: Transcript, _language: str) -> Transcript:
        """Rewrite a transcript; a long one in a thread."""
        if len(transcript.words) <= _ON_LOOP_WORDS:
            return self.rewrite(transcript)
        return await asyncio.to_thread(self.rewrite, transcript)


def check_processors(
    pre: Sequence[str],
    post: Sequence[str],
    served: Mapping[str, PostProcessor],
    language: str | None = None,
) -> None:
    """Refuse what would otherwise be left out in silence.

    Args:
        pre: What is to run before recognition.
        post: What is to run after it.
        served: Post processors by name.
        language: Tag of the speech; None checks the names only.

    Raises:
        InvalidField: `unknown_processor` or `unsupported_processor`.
    """
    for names, known, running, member in (
        (pre, PRE_PROCESSORS, SERVED_PRE_PROCESSORS, "preProcessors"),
        (post, frozenset(POST_PROCESSORS), frozenset(served), "postProcessors"),
    ):
        for index, name in enumerate(names):
            pointer = f"/config/{member}/{index}"
            if name not in known:
                raise unknown_processor(pointer, known)
            if name not in running:
                raise unsupported_processor(name, pointer)
            processor = served.get(name)
            if language is not None and isinstance(processor, TextProcessor):
                languages = processor.languages
                if primary_language(language) not in languages:
                    raise unserved_processor_language(name, pointer, languages)


async def post_process(
    transcript: Transcript,
    names: Sequence[str],
    language: str,
    served: Mapping[str, PostProcessor],
) -> Transcript:
    """Apply the named processors, each once, in the order of `POST_PROCESSORS`."""
    for name in POST_PROCESSORS:
        if name in names:
            transcript = await served[name](transcript, language)
    return transcript


def written_numbers(found: Transcript) -> Transcript:
    """Numbers, dates, times and money as they are written (English).

    A number does not go on in the next utterance, nor with another speaker.
    """
    rewritten: list[list[Word]] = []
    for words in _by_utterance(found):
        done: list[Word] = []
        for turn in _by_speaker(words):
            done += itn.normalize(turn, _joined)
        rewritten.append(done)
    return _with_words(found, rewritten, itn.normalize_text)


def punctuated(found: Transcript) -> Transcript:
    """Marks and capitals (English)."""
    groups = _by_utterance(found)
    words = [word for group in groups for word in group]
    last, ends = -1, set[int]()
    for group in groups:
        for turn in _by_speaker(group):
            last += len(turn)
            ends.add(last)
    written = iter(punctuation.punctuate(words, _respelled, ends=ends))
    rewritten = [[next(written) for _ in group] for group in groups]
    return _with_words(found, rewritten, punctuation.punctuate_text)


ENGLISH_PROCESSORS: Mapping[str, PostProcessor] = {
    "itn": TextProcessor(itn.LANGUAGES, written_numbers),
    "punctuation": TextProcessor(punctuation.LANGUAGES, punctuated),
}


def _joined(words: Sequence[Word], text: str) -> Word:
    start, end, confidence = itn.merged_times(words)
    return replace(words[0], word=text, start=start, end=end, confidence=confidence)


def _respelled(word: Word, text: str) -> Word:
    return replace(word, word=text)


def _by_utterance(found: Transcript) -> list[list[Word]]:
    """The words of each utterance, by their times; the first has what is before any."""
    groups: list[list[Word]] = [[] for _ in found.utterances] or [[]]
    place = 0
    for word in found.words:
        while place + 1 < len(groups) and found.utterances[place + 1].start <= word.start:
            place += 1
        groups[place].append(word)
    return groups


def _by_speaker(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    begin = 0
    for place, (one, other) in enumerate(pairwise(words), start=1):
        if (one.speaker, one.channel) != (other.speaker, other.channel):
            yield words[begin:place]
            begin = place
    if words:
        yield words[begin:]


def _with_words(
    found: Transcript, groups: list[list[Word]], rewrite: Callable[[str], str]
) -> Transcript:
    """The transcript with other words of each utterance, and its texts to go with them.

    Where a model's text is not its words in a row, the text is rewritten by itself.
    """
    given = _by_utterance(found)
    utterances = []
    for utterance, before, after in zip(found.utterances, given, groups, strict=False):
        agrees = before and utterance.text == _text(before)
        text = _text(after) if agrees else rewrite(utterance.text)
        utterances.append(replace(utterance, text=text))
    return replace(
        found,
        text=_utterances_text(utterances) if utterances else rewrite(found.text),
        words=tuple(word for group in groups for word in group),
        utterances=tuple(utterances),
    )


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.word for word in words)


def _utterances_text(utterances: Sequence[Utterance]) -> str:
    return " ".join(utterance.text for utterance in utterances)
