"""English words that numbers, dates, times, money and measures are spoken with."""

_ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ONE_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
]
_TEEN_ORDINALS = [
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
]
_TEN_ORDINALS = [
    "twentieth",
    "thirtieth",
    "fortieth",
    "fiftieth",
    "sixtieth",
    "seventieth",
    "eightieth",
    "ninetieth",
]

SCALES = {
    "thousand": 10**3,
    "lakh": 10**5,
    "lakhs": 10**5,
    "million": 10**6,
    "crore": 10**7,
    "crores": 10**7,
    "billion": 10**9,
    "trillion": 10**12,
}
SCALE_ORDINALS = {"thousandth": 10**3, "millionth": 10**6, "billionth": 10**9}
ROUND_SCALE = 10**5
"""From here on a bare multiple is written as `5 million`."""

DIGITS = {word: value for value, word in enumerate(_ONES)}
TEENS = {word: value for value, word in enumerate(_TEENS, start=10)}
TENS = {word: value * 10 for value, word in enumerate(_TENS, start=2)}
# "twenty-three" is one word where a text has hyphens; it stands where "thirteen" may stand.
TEENS |= {f"{ten}-{one}": value + DIGITS[one] for ten, value in TENS.items() for one in _ONES[1:]}
ORDINAL_DIGITS = {word: value for value, word in enumerate(_ONE_ORDINALS, start=1)}
ORDINALS = {word: value for value, word in enumerate(_TEEN_ORDINALS, start=10)}
ORDINALS |= {word: value * 10 for value, word in enumerate(_TEN_ORDINALS, start=2)}
ORDINALS |= {
    f"{ten}-{one}": value + ORDINAL_DIGITS[one]
    for ten, value in TENS.items()
    for one in _ONE_ORDINALS
}
DECADES = {
    "tens": 10,
    "twenties": 20,
    "thirties": 30,
    "forties": 40,
    "fifties": 50,
    "sixties": 60,
    "seventies": 70,
    "eighties": 80,
    "nineties": 90,
}
OH = frozenset({"oh", "o"})
REPEATS = {"double": 2, "triple": 3}

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
VERB_MONTHS = frozenset({"may", "march"})
"""Months that are verbs as well: they count as months only where a date is likely."""
BEFORE_DATES = frozenset(
    [
        "on",
        "in",
        "since",
        "until",
        "till",
        "by",
        "of",
        "from",
        "before",
        "after",
        "the",
        "every",
        "this",
        "next",
        "last",
        "through",
        "and",
        "early",
        "late",
        "mid",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
)
BEFORE_YEARS = frozenset(
    [
        "in",
        "of",
        "since",
        "from",
        "year",
        "by",
        "before",
        "after",
        "until",
        "till",
        "around",
        "circa",
        "during",
        "early",
        "late",
        "mid",
        "to",
        "through",
        "between",
        "spring",
        "summer",
        "autumn",
        "fall",
        "winter",
    ]
)
BEFORE_TIMES = frozenset(["at", "until", "till", "around"])
MERIDIEMS = {
    ("a", "m"): "a.m.",
    ("p", "m"): "p.m.",
    ("am",): "a.m.",
    ("pm",): "p.m.",
    ("a.m",): "a.m.",
    ("p.m",): "p.m.",
}
# What counts minutes, years or people: a number before it is an amount and not a year.
COUNTED = frozenset(
    [
        "seconds",
        "minutes",
        "hours",
        "days",
        "weeks",
        "months",
        "years",
        "times",
        "people",
        "men",
        "women",
        "children",
        "students",
        "points",
        "pages",
        "degrees",
        "items",
        "cases",
        "deaths",
        "votes",
        "seats",
        "words",
    ]
)
# "a thirty second delay": what "second" is a length of time in front of.
AFTER_SECONDS = frozenset(
    [
        "ad",
        "break",
        "call",
        "clip",
        "commercial",
        "countdown",
        "delay",
        "gap",
        "head",
        "interval",
        "lead",
        "limit",
        "mark",
        "pause",
        "penalty",
        "period",
        "rule",
        "silence",
        "spot",
        "timeout",
        "timer",
        "video",
        "wait",
        "walk",
        "warning",
        "window",
    ]
)
ENDS_PRICE = frozenset(
    [
        "for",
        "and",
        "to",
        "per",
        "a",
        "an",
        "each",
        "in",
        "is",
        "was",
        "please",
        "or",
        "but",
        "at",
        "on",
        "if",
    ]
)

STARTS = frozenset(
    {*DIGITS, *TEENS, *TENS, *ORDINAL_DIGITS, *ORDINALS, *MONTHS, *REPEATS}
    | {"a", "half", "quarter", "minus", "point"}
)
"""Every rule begins with one of these."""
