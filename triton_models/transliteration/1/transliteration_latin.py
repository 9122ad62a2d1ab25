"""How Indian words are usually written in Latin letters, and what such a spelling may mean.

By rules only: a spelling like `bharat` does not tell long vowels from short ones, so that there
are several readings, of which the likeliest by rule comes first. Source of the rule by which
Hindi and its kin drop vowels: M. Ohala, Aspects of Hindi Phonology (1983).
"""

import re
import unicodedata
from typing import Dict, List, NamedTuple, Tuple

# They drop the vowel at the end of a word, and write none there.
SCHWA_DROPPED = {"hi", "mr", "ne", "kok", "mai", "bn", "as", "pa", "gu"}
# They write a nasal before a stop of its place by a dot.
NASAL_DOT = {"hi", "mr", "ne", "kok", "mai", "sa", "pa", "gu", "te", "kn", "or"}
# A final a, i in Latin letters is a long vowel there, and mostly so is an a before it (kahani).
LONG_END = {"hi", "mr", "ne", "kok", "mai", "pa", "gu"}
EASTERN = {"bn", "as"}
# They tell short e and o from long ones.
DRAVIDIAN = {"ta", "te", "kn", "ml"}

NO_VOWEL = "[^aeiouAIUèò]"
# Devanagari from ka to ha.
_LETTERS = """
k kh g gh ng ch chh j jh ny t th d dh n t th d dh n n p ph b bh m y r r l l l v sh sh s h
"""
CONSONANTS = {chr(0x0915 + place): letter for place, letter in enumerate(_LETTERS.split())}
NUKTA = {"क": "q", "ख": "kh", "ग": "g", "ज": "z", "फ": "f"}
# Vowels by themselves, and their signs after consonants, in a short spelling and a long one.
_VOWELS = """
अ:a:a आ:a:aa इ:i:i ई:i:ee उ:u:u ऊ:u:oo ऋ:ri:ri ऍ:e:e ऎ:e:e ए:e:e ऐ:ai:ai ऑ:o:o ऒ:o:o ओ:o:o औ:au:au
"""
_SIGNS = """
ा:a:aa ि:i:i ी:i:ee ु:u:u ू:u:oo ृ:ri:ri ॅ:e:e ॆ:e:e े:e:e ै:ai:ai ॉ:o:o ॊ:o:o ो:o:o ौ:au:au
"""


def _spelled(table: str) -> Dict[str, Tuple[str, str]]:
    entries = (entry.split(":") for entry in table.split())
    return {letter: (short, long) for letter, short, long in entries}


VOWELS, SIGNS = _spelled(_VOWELS), _spelled(_SIGNS)
NASAL = "\u1e43"
MARKS = {"ं": NASAL, "ँ": NASAL, "\u0903": "h", "ऽ": "", "\u200c": "", "\u200d": ""}
VIRAMA, DOT = "्", "़"


class Sound(NamedTuple):
    """A consonant or a vowel, short spelling and long one."""

    short: str
    long: str
    vowel: bool
    inherent: bool = False


def sounds_of(word: str) -> List[Sound]:
    """Read a word in Devanagari."""
    word = unicodedata.normalize("NFC", word)
    sounds: List[Sound] = []
    place = 0
    while place < len(word):
        one = word[place]
        after = word[place + 1 : place + 2]
        place += 1
        if one in CONSONANTS:
            letter = CONSONANTS[one]
            if after == DOT:
                letter = NUKTA.get(one, letter)
                after = word[place + 1 : place + 2]
                place += 1
            sounds.append(Sound(letter, letter, vowel=False))
            if after in SIGNS:
                sounds.append(Sound(*SIGNS[after], vowel=True))
                place += 1
            elif after == VIRAMA:
                place += 1
            else:
                sounds.append(Sound("a", "a", vowel=True, inherent=True))
        elif one in VOWELS:
            sounds.append(Sound(*VOWELS[one], vowel=True))
        elif one in MARKS:
            sounds.append(Sound(MARKS[one], MARKS[one], vowel=False))
        else:
            sounds.append(Sound(one, one, vowel=False))
    return sounds


def without_schwas(sounds: List[Sound]) -> List[Sound]:
    """Drop the vowels that Hindi and its kin write, but do not speak."""
    kept = [sound for sound in sounds if sound.short]
    # One syllable keeps its vowel; one after two consonants is spoken.
    ends_open = len(kept) > 2 and kept[-1].inherent  # noqa: PLR2004 - more than a syllable
    if ends_open and kept[-3].vowel:
        kept.pop()
    # From the end: between a vowel and a consonant before, and a consonant and a vowel after.
    place = len(kept) - 3
    while place >= 2:  # noqa: PLR2004 - there are two before it
        around = [kept[one].vowel for one in (place - 2, place - 1, place + 1, place + 2)]
        if kept[place].inherent and around == [True, False, False, True]:
            kept.pop(place)
            place -= 1
        place -= 1
    return kept


def spellings(word: str, language: str) -> List[str]:
    """Return a word in Devanagari as people write it in Latin letters: short, then long vowels."""
    sounds = sounds_of(word)
    if language in SCHWA_DROPPED:
        sounds = without_schwas(sounds)
    found = ["".join(one.short for one in sounds), "".join(one.long for one in sounds)]
    return [_spoken(one, language) for one in found]


def _spoken(spelling: str, language: str) -> str:
    """The nasal as it is spoken where it stands, and a cluster as people say it."""
    if language not in SCHWA_DROPPED:
        spelling = re.sub(f"{NASAL}$", "m", spelling)
    spelling = re.sub(f"{NASAL}(?=[pb])", "m", spelling)
    spelling = spelling.replace(NASAL, "ng" if language in EASTERN else "n")
    return spelling.replace("ngg", "ng").replace("jny", "gy" if language in SCHWA_DROPPED else "jn")


def readings(word: str, language: str) -> List[str]:
    """Return what a word in Latin letters may mean, in ITRANS, the likeliest first."""
    plain = "".join(
        one for one in unicodedata.normalize("NFKD", word) if not unicodedata.combining(one)
    )
    found: List[str] = []
    if plain != plain.lower() and plain != plain.capitalize() and plain != plain.upper():
        found.append(plain)  # ITRANS tells sounds apart by capitals inside a word.
    base = _base(plain.lower(), language)
    long_first = re.sub(rf"^({NO_VOWEL}*)a(?={NO_VOWEL})", r"\1A", base, count=1)
    long_last = re.sub(rf"a({NO_VOWEL}+)$", r"A\1", base)
    both = re.sub(rf"a({NO_VOWEL}+)$", r"A\1", long_first)
    # As in kahani, but not in zindagi, ravi or hari.
    before_end = re.sub(r"a([ntdbmjlkp])I$", r"A\1I", base)
    found += [before_end] if language in LONG_END else []
    found += [base, long_first, long_last, both, before_end]
    if language in DRAVIDIAN:
        found += [re.sub(r"(?<=.)n", "N", base), base.replace("è", "e").replace("ò", "o")]
    found += [_hard(one) for one in (base, long_first)]
    if base.endswith(("A", "I")):
        found.append(base[:-1] + base[-1].lower())
    elif base.endswith("a"):
        found.append(base[:-1] + "A")
    found.append(re.sub(r"M(?=[kgcjtdTDpb])", "n", base))
    found.append(re.sub(r"(?<![CcSs])sh", "Sh", base))
    return list(dict.fromkeys(found))


def _base(word: str, language: str) -> str:
    word = word.replace("ck", "k").replace("x", "ks").replace("q", "k").replace("w", "v")
    word = re.sub(r"c(?![hc])", "k", word.replace("chh", "Ch").replace("cch", "cCh"))
    word = word.replace("kCh", "cCh").replace("aa", "A").replace("ee", "I").replace("oo", "U")
    word = re.sub(rf"(?<={NO_VOWEL})y$", "I", word)
    if language in LONG_END:
        word = re.sub(rf"(?<={NO_VOWEL})([ai])$", lambda end: end[1].upper(), word)
        word = re.sub(r"ia$", "iyA", word)
    elif language in EASTERN | {"or"}:
        word = re.sub(rf"(?<={NO_VOWEL})a$|(?<=i)a$", "A", word)
    elif language in DRAVIDIAN:
        word = re.sub(r"e(?!e)", "è", re.sub(r"o(?!o)", "ò", word))
    if language in EASTERN:
        word = re.sub(rf"ng(?={NO_VOWEL}|$)", "M", word)
    if language in NASAL_DOT:
        word = re.sub(r"n(?=[kgcjtdC])|m(?=[pb])", "M", word)
    else:
        word = re.sub(r"n(?=[kg])", "~N", word)
    return word


def _hard(word: str) -> str:
    """With the tongue curled back, as English t and d are heard."""
    return re.sub(r"t(?!h)", "T", re.sub(r"d(?!h)", "D", word))
