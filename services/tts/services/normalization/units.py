"""Symbols of units and currencies, and the English words for one and for several."""

from typing import NamedTuple


class Name(NamedTuple):
    """A word for one and the word for several."""

    one: str
    many: str

    def of(self, *, single: bool) -> str:
        """The one that fits the count."""
        return self.one if single else self.many


class Currency(NamedTuple):
    """Money: the whole, and its hundredths if there are such."""

    major: Name
    minor: Name | None


def _name(text: str) -> Name:
    """From `foot, feet`; the plural in "s" need not be given."""
    one, _, many = text.partition(", ")
    return Name(one, many or f"{one}s")


def _units(*rows: str) -> dict[str, Name]:
    """Rows of `symbol symbol: one, several`."""
    found: dict[str, Name] = {}
    for row in rows:
        symbols, _, words = row.partition(": ")
        found |= dict.fromkeys(symbols.split(), _name(words))
    return found


UNITS = _units(
    "km: kilometer",
    "m: meter",
    "cm: centimeter",
    "mm: millimeter",
    "µm μm um: micrometer",
    "nm: nanometer",
    "mi: mile",
    "yd yds: yard",
    "ft: foot, feet",
    "km² km2: square kilometer",
    "m² m2 sqm: square meter",
    "cm² cm2: square centimeter",
    "ft² ft2 sqft: square foot, square feet",
    "m³ m3: cubic meter",
    "cm³ cm3 cc: cubic centimeter",
    "ha: hectare",
    "mph: mile per hour, miles per hour",
    "kph kmh km/h: kilometer per hour, kilometers per hour",
    "m/s: meter per second, meters per second",
    "kg: kilogram",
    "g: gram",
    "mg: milligram",
    "µg μg mcg: microgram",
    "lb lbs: pound",
    "oz: ounce",
    "L l: liter",
    "mL ml: milliliter",
    "cl cL: centiliter",
    "gal: gallon",
    "tbsp: tablespoon",
    "tsp: teaspoon",
    "Hz: hertz, hertz",
    "kHz: kilohertz, kilohertz",
    "MHz: megahertz, megahertz",
    "GHz: gigahertz, gigahertz",
    "KB kB: kilobyte",
    "MB: megabyte",
    "GB: gigabyte",
    "TB: terabyte",
    "PB: petabyte",
    "Mb: megabit",
    "Gb: gigabit",
    "kbps: kilobit per second, kilobits per second",
    "Mbps: megabit per second, megabits per second",
    "Gbps: gigabit per second, gigabits per second",
    "W: watt",
    "mW: milliwatt",
    "kW: kilowatt",
    "MW: megawatt",
    "GW: gigawatt",
    "Wh: watt hour",
    "kWh: kilowatt hour",
    "MWh: megawatt hour",
    "V: volt",
    "mV: millivolt",
    "kV: kilovolt",
    "mA: milliamp",
    "mAh: milliamp hour",
    "Ω \u2126: ohm",
    "kJ: kilojoule",
    "kcal: kilocalorie",
    "cal: calorie",
    "Pa: pascal",
    "kPa: kilopascal",
    "hPa: hectopascal",
    "N: newton",
    "dB: decibel",
    "px: pixel",
    "fps: frame per second, frames per second",
    "ppm: part per million, parts per million",
    "bp bps: basis point",
    "rpm: revolution per minute, revolutions per minute",
    "psi: pound per square inch, pounds per square inch",
    "°C ℃ ºC: degree Celsius, degrees Celsius",
    "°F ℉ ºF: degree Fahrenheit, degrees Fahrenheit",
    "° º: degree",
    "h hr hrs: hour",
    "min mins: minute",
    "s sec secs: second",
    "ms: millisecond",
    "µs μs: microsecond",
    "ns: nanosecond",
    "wk wks: week",
    "yr yrs: year",
    "%: percent, percent",
    "‰: per mille, per mille",
    "¢: cent",
)
ATTACHED = _units("in: inch, inches", "x: times, times", "p: pence, pence", "K: K, K", "k: K, K")
"""Units only where nothing stands between them and the number."""
PER = {"d": "day", "mo": "month", "y": "year", "a": "year", "h": "hour", "s": "second"}
"""What a unit may be counted by, besides the units themselves."""
SCALES = {
    "k": "thousand",
    "K": "thousand",
    "m": "million",
    "M": "million",
    "mm": "million",
    "MM": "million",
    "mn": "million",
    "mln": "million",
    "b": "billion",
    "B": "billion",
    "bn": "billion",
    "bln": "billion",
    "t": "trillion",
    "T": "trillion",
    "tn": "trillion",
    "L": "lakh",
    "cr": "crore",
    "Cr": "crore",
}
"""Behind an amount of money."""
COUNT_SCALES = {key: SCALES[key] for key in ("M", "B", "T", "bn", "mn", "tn")}
"""Behind any number."""
SCALE_WORDS = frozenset(
    ["hundred", "thousand", "million", "billion", "trillion", "lakh", "lakhs", "crore", "crores"]
)

_CENT = _name("cent")
_DOLLAR = _name("dollar")


def _money(major: str, minor: str = "") -> Currency:
    return Currency(_name(major), _name(minor) if minor else None)


SIGNS = {
    "$": Currency(_DOLLAR, _CENT),
    "US$": _money("U.S. dollar", "cent"),
    "A$": _money("Australian dollar", "cent"),
    "AU$": _money("Australian dollar", "cent"),
    "C$": _money("Canadian dollar", "cent"),
    "CA$": _money("Canadian dollar", "cent"),
    "NZ$": _money("New Zealand dollar", "cent"),
    "HK$": _money("Hong Kong dollar", "cent"),
    "S$": _money("Singapore dollar", "cent"),
    "R$": _money("real, reais", "centavo"),
    "£": _money("pound", "penny, pence"),
    "€": _money("euro", "cent"),
    "¥": _money("yen, yen"),
    "₹": _money("rupee", "paisa, paise"),
    "Rs": _money("rupee", "paisa, paise"),
    "₩": _money("won, won"),
    "₽": _money("ruble", "kopeck"),
    "₺": _money("lira, lira"),
    "₪": _money("shekel"),
    "₫": _money("dong, dong"),
    "₦": _money("naira, naira", "kobo, kobo"),
    "₴": _money("hryvnia"),
    "฿": _money("baht, baht"),
    "₱": _money("peso", "centavo"),
    "₿": _money("bitcoin"),
}
CODES = {
    "USD": SIGNS["US$"],
    "EUR": SIGNS["€"],
    "GBP": SIGNS["£"],
    "INR": SIGNS["₹"],
    "Rs": SIGNS["Rs"],
    "JPY": SIGNS["¥"],
    "CNY": _money("yuan, yuan"),
    "RMB": _money("yuan, yuan"),
    "CHF": _money("Swiss franc", "centime"),
    "CAD": SIGNS["C$"],
    "AUD": SIGNS["A$"],
    "NZD": SIGNS["NZ$"],
    "HKD": SIGNS["HK$"],
    "SGD": SIGNS["S$"],
    "SEK": _money("Swedish krona, Swedish kronor"),
    "NOK": _money("Norwegian krone, Norwegian kroner"),
    "DKK": _money("Danish krone, Danish kroner"),
    "PLN": _money("zloty"),
    "CZK": _money("Czech koruna, Czech koruny"),
    "HUF": _money("forint"),
    "RUB": SIGNS["₽"],
    "TRY": SIGNS["₺"],
    "ILS": SIGNS["₪"],
    "KRW": SIGNS["₩"],
    "BRL": SIGNS["R$"],
    "MXN": _money("Mexican peso", "centavo"),
    "ZAR": _money("rand, rand", "cent"),
    "AED": _money("dirham"),
    "SAR": _money("riyal"),
    "BTC": SIGNS["₿"],
}
