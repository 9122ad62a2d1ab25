"""English abbreviations and names that the rules know."""


def _pairs(text: str) -> dict[str, str]:
    """From `mr=Mister; dept=department`."""
    return dict(pair.strip().split("=") for pair in text.split(";"))


TITLES = _pairs(
    "mr=Mister; mrs=Missus; ms=Miz; dr=Doctor; prof=Professor; rev=Reverend; hon=Honorable;"
    "gen=General; col=Colonel; capt=Captain; lt=Lieutenant; sgt=Sergeant; maj=Major; adm=Admiral;"
    "cmdr=Commander; pvt=Private; gov=Governor; sen=Senator; rep=Representative; pres=President;"
    "mt=Mount; ft=Fort; messrs=Messieurs; st=Saint"
)
"""Before a name. All but the first three need their full stop."""
BARE_TITLES = frozenset({"mr", "mrs", "dr", "prof", "rev"})
STREETS = _pairs(
    "st=Street; ave=Avenue; blvd=Boulevard; rd=Road; ln=Lane; hwy=Highway; pkwy=Parkway;"
    "sq=Square; ct=Court; pl=Place; dr=Drive; expy=Expressway; ter=Terrace"
)
"""Behind a name."""
BEFORE_SAINTS = frozenset({"mount", "mt", "fort", "port", "lake", "cape", "the", "of", "in", "at"})
SAINTS = frozenset(
    [
        *("louis", "paul", "paul's", "petersburg", "john", "john's", "johns", "peter", "peter's"),
        *("mary", "mary's", "patrick's", "helens", "helena", "lucia", "moritz", "albans"),
        *("andrews", "george", "james", "joseph", "thomas", "kitts", "vincent", "croix", "martin"),
        *("augustine", "nicholas", "francis", "george's", "luke's", "mark's", "pancras"),
    ]
)
STREET_ENDERS = frozenset(
    [
        "The",
        "It",
        "He",
        "She",
        "They",
        "We",
        "This",
        "That",
        "In",
        "On",
        "At",
        "And",
        "But",
        "I",
        "You",
        "There",
        "Then",
        "When",
        "After",
        "As",
    ]
)
"""What a sentence goes on with, so that the word before is a street and no saint."""
DOTTED = _pairs(
    "etc=et cetera; vs=versus; approx=approximately; dept=department; inc=Incorporated;"
    "ltd=Limited; corp=Corporation; bros=Brothers; assn=Association; govt=government;"
    "univ=University; misc=miscellaneous; incl=including; excl=excluding; avg=average;"
    "tel=telephone; apt=apartment; ste=suite; jr=Junior; sr=Senior; viz=namely; cf=compare;"
    "esp=especially; tbsp=tablespoon; tsp=teaspoon; co=Company; est=established; ext=extension;"
    "max=maximum; min=minimum; temp=temperature; intl=International; natl=National;"
    "jan=January; feb=February; mar=March; apr=April; jun=June; jul=July; aug=August;"
    "sep=September; sept=September; oct=October; nov=November; dec=December;"
    "mon=Monday; tue=Tuesday; tues=Tuesday; wed=Wednesday; thu=Thursday; thur=Thursday;"
    "thurs=Thursday; fri=Friday; sat=Saturday; sun=Sunday"
)
"""With their full stop only."""
CAPITAL_ONLY = frozenset(
    [
        "mar",
        "jun",
        "aug",
        "sun",
        "sat",
        "wed",
        "fri",
        "mon",
        "tue",
        "thu",
        "sep",
        "dec",
        "nov",
        "oct",
        "feb",
        "jan",
        "apr",
        "jul",
        "co",
    ]
)
"""Of these, those that are words as well in lower case."""
NUMBERED = _pairs(
    "no=number; nos=numbers; fig=figure; figs=figures; vol=volume; pp=pages; p=page; pg=page;"
    "ch=chapter; chap=chapter; sec=section; art=article; ca=circa; c=circa; eq=equation;"
    "para=paragraph; ver=version; v=version; rm=room; q=question; ex=example"
)
"""With their full stop, before a number."""
ANYWHERE = {
    "e.g": "for example",
    "eg": "for example",
    "i.e": "that is",
    "a.k.a": "also known as",
    "aka": "also known as",
    "w/": "with",
    "w/o": "without",
    "c/o": "care of",
    "n/a": "not applicable",
    "N/A": "not applicable",
    "b/c": "because",
    "and/or": "and or",
    "And/or": "And or",
    "R&D": "R and D",
    "Q&A": "Q and A",
    "AT&T": "A-T and T",
    "M&A": "M and A",
    "vs": "versus",
    "B.C": "B.C.",
    "Ph.D": "P.H.D.",
    "PhD": "P.H.D.",
    "PhDs": "P.H.D.'s",
    "IPv4": "I.P. version four",
    "IPv6": "I.P. version six",
    "C++": "C plus plus",
    "C#": "C sharp",
    "F#": "F sharp",
    ".NET": "dot net",
    "iOS": "I.O.S.",
    "macOS": "mac O.S.",
    "WiFi": "Wi-Fi",
    "wifi": "wi-fi",
    "OK": "okay",
    "Ok": "okay",
    "ok": "okay",
    "ID": "I.D.",
    "IDs": "I.D.'s",
    "TV": "T.V.",
    "TVs": "T.V.'s",
    "XIII": "thirteen",
}
DAYS = _pairs(
    "Mon=Monday; Tue=Tuesday; Tues=Tuesday; Wed=Wednesday; Thu=Thursday; Thur=Thursday;"
    "Thurs=Thursday; Fri=Friday; Sat=Saturday; Sun=Sunday"
)
NOUNS_BEFORE_ROMAN = frozenset(
    [
        *("chapter", "part", "section", "volume", "act", "scene", "book", "war", "type"),
        *("class", "grade", "title", "article", "appendix", "stage", "level", "tier", "unit"),
        *("annex", "episode", "round", "step", "figure", "table", "bowl", "rocky", "mark", "page"),
        *("fantasy", "group", "category", "protocol", "vatican", "schedule", "division", "form"),
    ]
)
RULERS = frozenset(
    [
        *("henry", "louis", "george", "edward", "william", "james", "charles", "richard"),
        *("elizabeth", "mary", "john", "paul", "pius", "benedict", "gregory", "leo", "napoleon"),
        *("philip", "ferdinand", "alexander", "nicholas", "peter", "catherine", "frederick"),
        *("wilhelm", "otto", "francis", "clement", "innocent", "urban", "ramesses", "ptolemy"),
        *("cleopatra", "constantine", "carl", "gustav", "olav", "haakon", "harald", "christian"),
        *("margrethe", "albert", "leopold", "juan", "carlos", "alfonso", "felipe", "isabella"),
        *("umberto", "victor", "emmanuel", "mehmed", "murad", "selim", "suleiman", "darius"),
        *("xerxes", "rama", "ivan", "boniface", "celestine", "sixtus", "julius", "adrian"),
    ]
)
