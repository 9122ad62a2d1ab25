"""English names of languages, as OpenAI's verbose answers have them."""

import re

_NAMES: dict[str, str] = dict(
    re.findall(
        r"([a-z]+) ([^,]+)",
        "af afrikaans,am amharic,ar arabic,as assamese,az azerbaijani,ba bashkir,be belarusian,"
        "bg bulgarian,bn bengali,bo tibetan,br breton,brx bodo,bs bosnian,ca catalan,cs czech,"
        "cy welsh,da danish,de german,doi dogri,el greek,en english,es spanish,et estonian,"
        "eu basque,fa persian,fi finnish,fo faroese,fr french,gl galician,gom konkani,gu gujarati,"
        "ha hausa,haw hawaiian,he hebrew,hi hindi,hr croatian,ht haitian creole,hu hungarian,"
        "hy armenian,id indonesian,is icelandic,it italian,ja japanese,jw javanese,ka georgian,"
        "kk kazakh,km khmer,kn kannada,ko korean,ks kashmiri,la latin,lb luxembourgish,ln lingala,"
        "lo lao,lt lithuanian,lv latvian,mai maithili,mg malagasy,mi maori,mk macedonian,"
        "ml malayalam,mn mongolian,mni manipuri,mr marathi,ms malay,mt maltese,my myanmar,"
        "ne nepali,nl dutch,nn nynorsk,no norwegian,oc occitan,or odia,pa punjabi,pl polish,"
        "ps pashto,pt portuguese,ro romanian,ru russian,sa sanskrit,sat santali,sd sindhi,"
        "si sinhala,sk slovak,sl slovenian,sn shona,so somali,sq albanian,sr serbian,su sundanese,"
        "sv swedish,sw swahili,ta tamil,te telugu,tg tajik,th thai,tk turkmen,tl tagalog,"
        "tr turkish,tt tatar,uk ukrainian,ur urdu,uz uzbek,vi vietnamese,yi yiddish,yo yoruba,"
        "yue cantonese,zh chinese",
    )
)


def language_name(code: str) -> str:
    """`english` of `en`; the code itself where it has no name here."""
    return _NAMES.get(code, code)
