"""Languages, scripts and pairs, as clients and as translation models name them."""

import re
from typing import Dict, List, NamedTuple, Sequence


def _table(text: str) -> Dict[str, str]:
    return dict(entry.split(":") for entry in text.split())


# A language's tag in FLORES-200, as NLLB and IndicTrans have it, in its usual script.
FLORES = _table("""
af:afr_Latn am:amh_Ethi ar:arb_Arab as:asm_Beng az:azj_Latn be:bel_Cyrl bg:bul_Cyrl
bho:bho_Deva bn:ben_Beng brx:brx_Deva bs:bos_Latn ca:cat_Latn cs:ces_Latn cy:cym_Latn
da:dan_Latn de:deu_Latn doi:doi_Deva el:ell_Grek en:eng_Latn eo:epo_Latn es:spa_Latn
et:est_Latn eu:eus_Latn fa:pes_Arab fi:fin_Latn fr:fra_Latn ga:gle_Latn gl:glg_Latn
gu:guj_Gujr ha:hau_Latn he:heb_Hebr hi:hin_Deva hr:hrv_Latn hu:hun_Latn hy:hye_Armn
id:ind_Latn is:isl_Latn it:ita_Latn ja:jpn_Jpan ka:kat_Geor kk:kaz_Cyrl km:khm_Khmr
kn:kan_Knda ko:kor_Hang kok:gom_Deva ks:kas_Arab lo:lao_Laoo lt:lit_Latn lv:lvs_Latn
mai:mai_Deva mk:mkd_Cyrl ml:mal_Mlym mn:khk_Cyrl mni:mni_Beng mr:mar_Deva ms:zsm_Latn
mt:mlt_Latn my:mya_Mymr ne:npi_Deva nl:nld_Latn no:nob_Latn or:ory_Orya pa:pan_Guru
pl:pol_Latn ps:pbt_Arab pt:por_Latn ro:ron_Latn ru:rus_Cyrl sa:san_Deva sat:sat_Olck
sd:snd_Arab si:sin_Sinh sk:slk_Latn sl:slv_Latn so:som_Latn sq:als_Latn sr:srp_Cyrl
sv:swe_Latn sw:swh_Latn ta:tam_Taml te:tel_Telu th:tha_Thai tl:tgl_Latn tr:tur_Latn
uk:ukr_Cyrl ur:urd_Arab uz:uzn_Latn vi:vie_Latn yo:yor_Latn zh:zho_Hans zu:zul_Latn
""")
# ISO 639-3, and what else clients say, by the codes above.
_OTHER = _table("""
ara:ar aze:az fas:fa lav:lv mon:mn msa:ms nb:no nep:ne nor:no ori:or pus:ps sqi:sq swa:sw uzb:uz
""")
_SHORT = {**{tag[:3]: code for code, tag in FLORES.items()}, **_OTHER}

_CODE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


class EngineError(Exception):
    """The engine failed, or its weights cannot be used."""


class Language(NamedTuple):
    """A language, and the script that was asked for (empty: the usual one)."""

    code: str
    script: str

    @property
    def flores(self) -> str:
        """Its tag of FLORES-200; empty where none is known."""
        usual = FLORES.get(self.code, "")
        script = self.script or usual[4:]
        return f"{usual[:3] or self.code}_{script}" if script else ""


class Direction(NamedTuple):
    """A pair that is served."""

    source: Language
    target: Language

    def __str__(self) -> str:
        """As in the parameter ``languages``."""
        return "-".join("_".join(part for part in one if part) for one in self)


def language_of(code: str) -> Language:
    """Read ``hi``, ``hin_Deva``, ``hi-Deva`` or ``hi_IN``.

    Raises:
        ValueError: it is none of that form.
    """
    if not _CODE.fullmatch(code):
        raise ValueError(code)
    first, *others = re.split("[-_]", code)
    name = first.lower()
    script = next((one.title() for one in others if len(one) == 4 and one.isalpha()), "")  # noqa: PLR2004 - ISO 15924
    return Language(_SHORT.get(name, name), script)


def directions_of(text: str) -> List[Direction]:
    """Read the parameter ``languages``: pairs such as ``en-hi``.

    Raises:
        EngineError: it is malformed.
    """
    try:
        pairs = [pair.strip().split("-") for pair in text.split(",")]
        return [Direction(language_of(one), language_of(other)) for one, other in pairs]
    except ValueError as error:
        raise EngineError(
            "parameter languages: give pairs such as en-hi, separated by commas"
        ) from error


def check_pair(source: bytes, target: bytes, served: Sequence[Direction]) -> Direction:
    """Return the served direction that two codes ask for.

    Without a script a code means the first served one; with one, that script of the language.

    Raises:
        ClientError: malformed or not served.
    """
    try:
        wanted = [language_of(raw[:64].decode("utf-8", "replace")) for raw in (source, target)]
    except ValueError:
        wanted = []
    for direction in served:
        if wanted and all(_fits(one, own) for one, own in zip(wanted, direction, strict=True)):
            return direction
    raise ClientError("unsupported_language: " + ",".join(str(one) for one in served))


def _fits(wanted: Language, own: Language) -> bool:
    if wanted.code != own.code:
        return False
    return not wanted.script or wanted.script == (own.script or own.flores[4:])
