"""What English numbers count: money and measures, and how these are written."""

from typing import NamedTuple


class Currency(NamedTuple):
    """How an amount of money is written; `minor` are the words of its hundredths."""

    sign: str
    minor: frozenset[str]


_CENTS = frozenset({"cent", "cents"})
_DOLLAR = Currency("$", _CENTS)
_POUND = Currency("£", frozenset({"pence", "penny", "p"}))
_EURO = Currency("€", _CENTS)
_RUPEE = Currency("₹", frozenset({"paise", "paisa"}))
_YEN = Currency("¥", frozenset())
CURRENCIES = {
    "dollar": _DOLLAR,
    "dollars": _DOLLAR,
    "pound": _POUND,
    "pounds": _POUND,
    "euro": _EURO,
    "euros": _EURO,
    "rupee": _RUPEE,
    "rupees": _RUPEE,
    "yen": _YEN,
}
SMALL_MONEY = {"cents": "¢", "pence": "p"}
# "five pounds of flour" is a weight.
WEIGHED = frozenset({"of", "weight", "heavier", "lighter", "overweight"})


def _units(*rows: str) -> dict[tuple[str, ...], str]:
    """Rows of `symbol: words, words`; the words as spoken, plural and singular."""
    found = {}
    for row in rows:
        symbol, _, spoken = row.partition(": ")
        for words in spoken.split(", "):
            found[tuple(words.split())] = symbol
    return found


UNITS = _units(
    "km: kilometer, kilometers, kilometre, kilometres",
    "m: meter, meters, metre, metres",
    "cm: centimeter, centimeters, centimetre, centimetres",
    "mm: millimeter, millimeters, millimetre, millimetres",
    "km²: square kilometer, square kilometers, square kilometre, square kilometres",
    "m²: square meter, square meters, square metre, square metres",
    "m³: cubic meter, cubic meters, cubic metre, cubic metres",
    "km/h: kilometers per hour, kilometres per hour, kilometers an hour, kilometres an hour",
    "m/s: meters per second, metres per second, meters a second, metres a second",
    "mph: miles per hour, miles an hour",
    "kg: kilogram, kilograms, kilo, kilos",
    "g: gram, grams",
    "mg: milligram, milligrams",
    "L: liter, liters, litre, litres",
    "mL: milliliter, milliliters, millilitre, millilitres",
    "Hz: hertz",
    "kHz: kilohertz",
    "MHz: megahertz",
    "GHz: gigahertz",
    "KB: kilobyte, kilobytes",
    "MB: megabyte, megabytes",
    "GB: gigabyte, gigabytes",
    "TB: terabyte, terabytes",
    "W: watt, watts",
    "kW: kilowatt, kilowatts",
    "MW: megawatt, megawatts",
    "kWh: kilowatt hour, kilowatt hours",
    "V: volt, volts",
    "ft: feet",
    "lb: pounds weight",
    "°C: degrees celsius, degree celsius, degrees centigrade",
    "°F: degrees fahrenheit, degree fahrenheit",
    # Written in full, but a number before them is written in digits.
    "degrees: degrees",
    "degree: degree",
    "miles: miles",
    "mile: mile",
    "inches: inches",
)
LONGEST_UNIT = max(map(len, UNITS))
