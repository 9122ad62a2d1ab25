"""Codes of languages and scripts, and which direction of a model a request asks for.

Clients name languages by ISO 639-1 and scripts by ISO 15924; models name them as they were trained:
`hi`, or `hin_Deva` as in FLORES-200. A model is always sent its own names.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from services.nlp.models.languages import Pair

# ISO 639-3 codes by ISO 639-1 code: of the language and, where models name one, of its main member.
_LONG = """
af afr | am amh | ar arb ara | as asm | ay ayr aym | az azj aze | ba bak | be bel | bg bul |
bm bam | bn ben | bo bod | bs bos | ca cat | cs ces | cy cym | da dan | de deu | dz dzo | ee ewe |
el ell | en eng | eo epo | es spa | et est ekk | eu eus | fa pes fas | fi fin | fj fij | fo fao |
fr fra | ga gle | gd gla | gl glg | gn grn gug | gu guj | ha hau | he heb | hi hin | hr hrv |
ht hat | hu hun | hy hye | id ind | ig ibo | is isl | it ita | ja jpn | jv jav | ka kat | kg kon |
ki kik | kk kaz | km khm | kn kan | ko kor | ks kas | ku kmr kur | ky kir | lb ltz | lg lug |
li lim | ln lin | lo lao | lt lit | lv lvs lav | mg plt mlg | mi mri | mk mkd | ml mal |
mn khk mon | mr mar | ms zsm msa | mt mlt | my mya | nb nob | ne npi nep | nl nld | nn nno |
ny nya | oc oci | om gaz orm | or ory ori | pa pan | pl pol | ps pbt pus | pt por | qu quy que |
rn run | ro ron | ru rus | rw kin | sa san | sc srd | sd snd | sg sag | si sin | sk slk | sl slv |
sm smo | sn sna | so som | sq als sqi | sr srp | ss ssw | st sot | su sun | sv swe | sw swh swa |
ta tam | te tel | tg tgk | th tha | ti tir | tk tuk | tl tgl fil | tn tsn | tr tur | ts tso |
tt tat | tw twi | ug uig | uk ukr | ur urd | uz uzn uzb | vi vie | wo wol | xh xho | yi ydd yid |
yo yor | zh zho cmn | zu zul
"""
# The scripts of languages, most usual first; of others that are known above, Latin.
_SCRIPTS = """
am Ethi | ar Arab | as Beng | ba Cyrl | be Cyrl | bg Cyrl | bn Beng | bo Tibt | dz Tibt |
el Grek | fa Arab | gu Gujr | he Hebr | hi Deva | hy Armn | ja Jpan | ka Geor | kk Cyrl |
km Khmr | kn Knda | ko Hang Kore | ks Arab Deva | ky Cyrl | lo Laoo | mk Cyrl | ml Mlym |
mn Cyrl Mong | mr Deva | my Mymr | ne Deva | or Orya | pa Guru Arab | ps Arab | ru Cyrl |
sa Deva | sd Arab Deva | si Sinh | sr Cyrl Latn | ta Taml | te Telu | tg Cyrl | th Thai |
ti Ethi | tt Cyrl | ug Arab | uk Cyrl | ur Arab | yi Hebr | zh Hans Hant Hani | uz Latn Cyrl |
az Latn Cyrl | bs Latn Cyrl | ku Latn Arab | bho Deva | brx Deva | doi Deva | gom Deva |
kok Deva | mag Deva | mai Deva | mni Mtei Beng | sat Olck
"""
_SCRIPT = re.compile(r"[A-Za-z]{4}")


def _table(text: str) -> dict[str, tuple[str, ...]]:
    rows = (row.split() for row in text.replace("\n", " ").split("|"))
    return {name: tuple(values) for name, *values in rows}


_SHORT = {long: short for short, longs in _table(_LONG).items() for long in longs}
_USUAL = {
    **dict.fromkeys(_table(_LONG), ("Latn",)),
    **_table(_SCRIPTS),
}


class Variety(NamedTuple):
    """A language as it is written.

    Attributes:
        language: ISO 639-1 code where there is one, ISO 639-3 otherwise.
        script: ISO 15924 code, where it was said.
    """

    language: str
    script: str | None = None


def variety(code: str, script: str | None = None) -> Variety:
    """What `hi`, `hin`, `hi-IN` or `hin_Deva` stands for.

    Args:
        code: A language tag.
        script: Said besides; it goes before the tag's own.
    """
    primary, *rest = re.split("[-_]", code)
    own = next((part for part in rest if _SCRIPT.fullmatch(part)), None)
    named = script or own
    return Variety(_SHORT.get(primary.lower(), primary.lower()), named.title() if named else None)


def plain_pair(pair: Pair) -> Pair:
    """The pair by short codes, without regions and scripts."""
    return Pair(variety(pair.source).language, variety(pair.target).language)


def label_of(pair: Pair, served: Sequence[Pair]) -> str:
    """The pair as a label of metrics: they must stay few where a model takes any languages."""
    return str(plain_pair(pair)) if served else "any"


def language_label(code: str | None) -> str:
    """A language as a label of metrics; `any` for what is none, or none that was said."""
    return code if code in _USUAL else "any"


def direction_of(
    pair: Pair, scripts: tuple[str | None, str | None], served: Sequence[Pair]
) -> Pair | None:
    """The model's own names of a direction; None if it does not serve it.

    Args:
        pair: As the client names it.
        scripts: Of source and target, where the client says them.
        served: As the model names them; a model that lists none is believed to serve all.
    """
    if not served:
        return plain_pair(pair)
    source, target = variety(pair.source, scripts[0]), variety(pair.target, scripts[1])
    found = [
        (_strangeness(one.source) + _strangeness(one.target), place, one)
        for place, one in enumerate(served)
        if _serves(one.source, source) and _serves(one.target, target)
    ]
    return min(found)[2] if found else None


def _serves(name: str, wanted: Variety) -> bool:
    offered = variety(name)
    if offered.language != wanted.language:
        return False
    if wanted.script is None or wanted.script == offered.script:
        return True
    # A model that says no script writes the language as it is usually written.
    usual = _USUAL.get(wanted.language)
    return offered.script is None and (usual is None or wanted.script in usual)


def _strangeness(name: str) -> int:
    """How unusual the script is: where none is said, the usual one is meant."""
    offered = variety(name)
    usual = _USUAL.get(offered.language, ())
    if offered.script is None or not usual:
        return 0
    return usual.index(offered.script) if offered.script in usual else len(usual)
