"""Pronunciations of English words that no dictionary has, by rules of spelling.

Names and new terms come out plausible, not right: two readings are given, one with full and one
with reduced vowels, and the recogniser takes what fits the sound.
"""

import re
from typing import Dict, List

VOWELS = set("aeiouy")
_LETTERS: Dict[str, str] = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY",
    "h": "EY CH", "i": "AY", "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N",
    "o": "OW", "p": "P IY", "q": "K Y UW", "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW",
    "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S", "y": "W AY", "z": "Z IY",
}  # fmt: skip
# Longest first; a pattern may look behind and ahead, and takes what it matches.
_RULES = [
    (re.compile(pattern), phones.split())
    for pattern, phones in (
        ("tion", "SH AH N"), ("(?<=[aeiou])sion", "ZH AH N"), ("sion", "SH AH N"),
        ("cious|tious", "SH AH S"), ("cial|tial", "SH AH L"), ("ture$", "CH ER"),
        ("eigh", "EY"), ("augh(?=t)", "AO"), ("ough(?=t)", "AO"), ("ough$", "OW"),
        ("igh", "AY"), ("tch", "CH"), ("dge", "JH"), ("sch", "SH"), ("^kn", "N"), ("^gn", "N"),
        ("^wr", "R"), ("^ps", "S"), ("^wh", "W"), ("^x", "Z"), ("^rh", "R"), ("mb$", "M"),
        ("ck|cq", "K"), ("ch(?=[rl])", "K"), ("ch", "CH"), ("sh", "SH"), ("ph", "F"),
        ("th", "TH"), ("gh(?=[aeiouy])", "G"), ("gh", ""), ("ng(?=[aeouy])", "NG G"),
        ("ng$|ng(?=[^aeiouy])", "NG"), ("nk", "NG K"), ("nx", "NG K S"), ("qu", "K W"),
        ("que$", "K"), ("sc(?=[eiy])", "S"), ("cc(?=[eiy])", "K S"),
        ("c(?=[eiy])", "S"), ("gg", "G"), ("g(?=[eiy])", "JH"),
        ("ious$", "IY AH S"), ("ous$", "AH S"), ("eous$", "IY AH S"), ("able$", "AH B AH L"),
        ("ible$", "AH B AH L"), ("(?<=[^aeiouy])le$", "AH L"), ("(?<=[^aeiouy])les$", "AH L Z"),
        ("(?<=[dt])ed$", "IH D"), ("(?<=[pkfsxh])ed$", "T"), ("(?<=[^aeiou])ed$", "D"),
        ("ies$", "IY Z"), ("ing$", "IH NG"), ("ings$", "IH NG Z"), ("ment$", "M AH N T"),
        ("age$", "IH JH"), ("ey$", "IY"), ("ia$", "IY AH"), ("ea$", "IY AH"),
        ("eer", "IH R"), ("ear", "IH R"), ("air|are$", "EH R"), ("oar|oor|ore", "AO R"),
        ("our", "AO R"), ("ier$", "IY ER"), ("ire$", "AY ER"), ("ure$", "Y UH R"),
        ("err|irr|urr", "ER"), ("arr", "AE R"), ("orr", "AO R"),
        ("ar", "AA R"), ("er(?![aeiouy])|ir(?![aeiouy])|ur(?![aeiouy])", "ER"), ("or", "AO R"),
        ("ee|ea|ie(?=[^r])", "IY"), ("eau", "OW"), ("ai|ay|ei", "EY"), ("oa|oe$", "OW"),
        ("oo", "UW"), ("ou", "AW"), ("ow$", "OW"), ("ow", "AW"), ("oi|oy", "OY"),
        ("au|aw", "AO"), ("eu|ew", "UW"), ("ue$|ui", "UW"),
        ("a(?=[^aeiouywxr]e)", "EY"), ("e(?=[^aeiouywxr]e)", "IY"),
        ("i(?=[^aeiouywxr]e)", "AY"), ("o(?=[^aeiouywxr]e)", "OW"),
        ("u(?=[^aeiouywxr]e)", "UW"), ("y(?=[^aeiouywxr]e)", "AY"),
        ("(?<=[^aeiouy])es$", "IH Z"), ("(?<=[aeiouy][^aeiouy])e$", ""),
        ("(?<=[^aeiouy][^aeiouy])e$", ""), ("^y", "Y"), ("y$", "IY"), ("y(?=[aeiou])", "Y"),
        ("a$", "AH"), ("o$", "OW"), ("i$", "IY"), ("u$", "UW"), ("e$", "IY"),
        ("(?<=[aeiouylmnrbdgvw])s$", "Z"), ("(?<=[aeiou])s(?=[eiy])", "Z"),
        ("a", "AE"), ("e", "EH"), ("i", "IH"), ("o", "AA"), ("u", "AH"), ("y", "IH"),
        ("bb?", "B"), ("c", "K"), ("dd?", "D"), ("ff?", "F"), ("g", "G"), ("h$", ""), ("h", "HH"),
        ("j", "JH"), ("kk?", "K"), ("ll?", "L"), ("mm?", "M"), ("nn?", "N"), ("pp?", "P"),
        ("q", "K"), ("rr?", "R"), ("ss?", "S"), ("tt?", "T"), ("vv?", "V"), ("w$", ""),
        ("w", "W"), ("x", "K S"), ("zz?", "Z"),
    )
]  # fmt: skip
_REDUCED = {"AE": "AH", "EH": "AH", "AA": "AH", "IH": "AH"}


def spelled(word: str) -> str:
    """The names of the letters: "b b c"."""
    return " ".join(_LETTERS[letter] for letter in word if letter in _LETTERS)


def pronounce(word: str) -> List[str]:
    """One or two readings of a lower-case word, in ARPAbet as the acoustic model names it.

    Args:
        word: Letters and apostrophes.
    """
    letters = word.replace("'", "")
    if not VOWELS & set(letters):
        return [spelled(letters)]
    phones: List[str] = []
    place = 0
    while place < len(letters):
        for pattern, said in _RULES:
            match = pattern.match(letters, place)
            if match and match.end() > place:
                phones += said
                place = match.end()
                break
        else:
            place += 1
    full = " ".join(phones)
    nuclei = [index for index, phone in enumerate(phones) if phone in _REDUCED]
    reduced = list(phones)
    for index in nuclei[1:]:
        reduced[index] = _REDUCED[phones[index]]
    readings = [full, " ".join(reduced)]
    return [one for index, one in enumerate(readings) if one and one not in readings[:index]]
