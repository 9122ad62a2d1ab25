"""Preferred phrases for PocketSphinx: words of their own in a language model of their own.

Each phrase becomes one entry of the dictionary, `ill~disposed~`, with the sounds of its words and
a probability as if it were common. It takes part in the search from the first frame on, beside the
plain words. All of this happens in a second decoder, so that recognition without phrases stays
what it is to the last bit.
"""

import re
import unicodedata
from itertools import islice, product
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from asr_decoder import Decoded, EngineError, Samples, Segment, noise, utterance
from asr_engine import ClientError
from asr_g2p import pronounce, spelled

MAX_PHRASES = 100
MAX_CHARACTERS = 64
MAX_WORDS = 8
# Measured on the five librivox recordings: from 1e-4 on most misheard phrases come right, from
# 1e-3 on all that ever do; a hundred phrases that are not spoken changed nothing up to 1e-2.
PROBABILITY = 1e-3
# "ed" or "an" would be heard in the middle of other words.
SHORT_PROBABILITY = 1e-4
_SHORT_PHONES = 3
_READINGS = 3
# Entries of the dictionary cannot be removed: after so many the decoder is made anew.
_MOST_ENTRIES = 5_000
_MARK = "~"
_WORD = re.compile(r"[a-z][a-z'.]*")
_ALTERNATE = re.compile(r"\(\d+\)$")
_SEARCH = "boost"


def check_boost(raw: Sequence[bytes]) -> Tuple[str, ...]:
    """Return the phrases in lower case, each once.

    Raises:
        ClientError: there are too many, or one cannot be spoken in English.
    """
    if len(raw) > MAX_PHRASES:
        raise ClientError(f"invalid_parameter: BOOST takes at most {MAX_PHRASES} phrases")
    found: Dict[str, None] = {}
    for index, one in enumerate(raw):
        text = one[: MAX_CHARACTERS * 4 + 1].decode("utf-8", "replace")
        if len(text) > MAX_CHARACTERS:
            raise ClientError(
                f"invalid_parameter: BOOST phrase {index} is longer than {MAX_CHARACTERS}"
            )
        words = _plain(text).split()
        if not 1 <= len(words) <= MAX_WORDS or not all(map(_WORD.fullmatch, words)):
            raise ClientError(
                f"invalid_parameter: BOOST phrase {index} must be 1 to {MAX_WORDS} words of"
                " letters a to z; write numbers as words"
            )
        found[" ".join(words)] = None
    return tuple(found)


def _plain(text: str) -> str:
    """Lower case without accents; hyphens part words."""
    apart = unicodedata.normalize("NFKD", text.replace("’", "'").casefold())
    return "".join(one for one in apart if not unicodedata.combining(one)).replace("-", " ")


def split_segment(segment: Segment, phones: Sequence[int]) -> List[Segment]:
    """The words of a phrase's segment, the time shared by their numbers of sounds."""
    raw, first, last, confidence = segment
    words = _ALTERNATE.sub("", raw).strip(_MARK).split(_MARK)
    total, frames = sum(phones), last - first + 1
    found: List[Segment] = []
    said, begin = 0, first
    for word, count in zip(words, phones, strict=True):
        said += count
        end = first + max(1, round(frames * said / total))
        found.append((word, begin, end - 1, confidence))
        begin = end
    return found


class Booster:
    """A decoder with preferred phrases; the last phrases are kept for the next call."""

    def __init__(self, options: Dict[str, Any]) -> None:
        """Nothing is loaded before it is needed; ``options`` are the decoder's."""
        self._options = options
        self._decoder: Optional[Any] = None
        self._entries = 0
        self._phrases: Tuple[str, ...] = ()
        self._phones: Dict[str, List[int]] = {}

    def decode(self, chunk: Samples, topk: int, phrases: Tuple[str, ...]) -> Decoded:
        """Return the segments of one utterance in plain words and, if asked for, other texts.

        Raises:
            EngineError: the models do not load, or the decoder failed.
        """
        decoder, new = self.decoder_for(phrases)
        try:
            if new:
                utterance(decoder, noise(), 1)
            segments, texts = utterance(decoder, chunk, topk)
        except RuntimeError as error:
            self.forget()
            raise EngineError(f"PocketSphinx failed: {error}") from error
        return self.words_of(segments), [(self.text_of(text), score) for text, score in texts]

    def decoder_for(self, phrases: Tuple[str, ...]) -> Tuple[Any, bool]:
        """The decoder, and whether its search is new.

        Raises:
            EngineError: the models do not load.
        """
        if self._decoder is not None and phrases == self._phrases:
            return self._decoder, False
        try:
            self._prepare(phrases)
        except (RuntimeError, ValueError) as error:
            self.forget()
            raise EngineError(f"PocketSphinx took no phrases: {error}") from error
        return self._decoder, True

    def forget(self) -> None:
        """Drop the decoder; the next call makes another."""
        self._decoder, self._entries, self._phrases = None, 0, ()

    def words_of(self, segments: Sequence[Segment]) -> List[Segment]:
        """Segments of phrases as segments of their words."""
        found: List[Segment] = []
        for segment in segments:
            entry = _ALTERNATE.sub("", segment[0])
            if entry in self._phones:
                found += split_segment(segment, self._phones[entry])
            else:
                found.append(segment)
        return found

    @staticmethod
    def text_of(hypothesis: str) -> str:
        """A hypothesis in plain words."""
        return " ".join(hypothesis.replace(_MARK, " ").split())

    def _prepare(self, phrases: Tuple[str, ...]) -> None:
        from pocketsphinx import (  # noqa: PLC0415 - only where it is used
            Config,
            Decoder,
            NGramModel,
            get_model_path,
        )

        models = Path(get_model_path())
        if self._decoder is None or self._entries > _MOST_ENTRIES:
            self._entries = 0
            self._decoder = Decoder(
                Config(
                    hmm=str(models / "en-us" / "en-us"),
                    dict=str(models / "en-us" / "cmudict-en-us.dict"),
                    lm=None,
                    **self._options,
                )
            )
        decoder = self._decoder
        model = NGramModel(decoder.config, decoder.logmath, str(models / "en-us" / "en-us.lm.bin"))
        share = _share(decoder, model)
        self._phones = {}
        for phrase in phrases:
            entry = phrase.replace(" ", _MARK) + _MARK
            choices = [readings_of(decoder, word) for word in phrase.split()]
            readings = list(islice(product(*choices), _READINGS))
            lengths = [len(one.split()) for one in readings[0]]
            if decoder.lookup_word(entry) is None:
                for number, reading in enumerate(readings, start=1):
                    name = entry if number == 1 else f"{entry}({number})"
                    decoder.add_word(name, " ".join(reading), False)  # noqa: FBT003
                    self._entries += 1
            probability = PROBABILITY if sum(lengths) > _SHORT_PHONES else SHORT_PROBABILITY
            model.add_word(entry, probability / share)
            self._phones[entry] = lengths
        if self._phrases:
            decoder.remove_search(_SEARCH)
        decoder.add_lm(_SEARCH, model)
        decoder.activate_search(_SEARCH)
        self._phrases = phrases


def readings_of(decoder: Any, word: str) -> List[str]:
    """Pronunciations of a word: the dictionary's, or by rules if it has none."""
    names = [word, f"{word}(2)", f"{word}(3)"]
    known = [one for one in map(decoder.lookup_word, names) if one]
    if known:
        return known
    if "." in word:
        return [spelled(word)]
    if word.endswith("'s"):
        return [f"{one} Z" for one in readings_of(decoder, word[:-2])]
    return pronounce(word)


def _share(decoder: Any, model: Any) -> float:
    """The probability of a word if all were equal, told by what the model gives a new one."""
    model.add_word(_MARK, 1.0)
    return float(decoder.logmath.exp(model.prob([_MARK])))
