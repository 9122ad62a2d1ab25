"""English words by what they tell about punctuation and capitals."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


SUBJECTS = _set(
    "i you he she it we they this that these those there who someone somebody everyone everybody"
    " anyone anybody nobody i'm i've i'd i'll you're you've you'd you'll he's he'd he'll she's"
    " she'd she'll it's it'd it'll we're we've we'd we'll they're they've they'd they'll there's"
    " that's"
)
DETERMINERS = _set("the a an my your his her its our their some any every each no all both")

DANGLING = _set(
    "a an the my your his her its our their this these those every each some any no"
    " of to in on at by for with from into onto upon about between among through during without"
    " within against toward towards under over above below behind beside beyond near since until"
    " till despite per via than as like"
    " and or but nor because although though unless if while whereas whether that which who whom"
    " whose when where why how what"
    " is are was were am be been being do does did has have had will would shall should can could"
    " may might must cannot can't won't don't didn't isn't aren't wasn't weren't"
    " i he she we they i'm i've i'd i'll you're he's she's it's we're they're very quite rather too"
    " so more most less such not mr mrs ms dr mister"
) - _set("so that her his this those these no some any each like over about through less more")
"""After these a sentence goes on, whatever the pause."""

STRANDED = _set("of to than been into")
"""Before these as well: no sentence begins with them after a short pause."""

STARTERS = SUBJECTS | _set(
    "the so then however therefore meanwhile now well yes no oh what where why how when"
    " perhaps maybe after before if in at on there let my our his her their"
)
"""Words that often begin a sentence: after them a shorter pause is enough."""

FILLERS = _set("and but so well oh then now yes no okay ok or")
"""What may stand before the words that make a question."""

WH = _set("what where when why who whom whose which how what's where's who's how's")
AUXILIARIES = _set(
    "is are was were am do does did have has had can could will would shall should may might must"
    " isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't couldn't won't"
    " wouldn't shan't shouldn't mustn't"
)
NEGATED = frozenset(word for word in AUXILIARIES if word.endswith("n't"))
PRONOUNS = _set("i you he she it we they this that these those there")
TAG_PRONOUNS = _set("i you he she it we they there")
CONDITIONAL = _set("had were should")
"""Inverted they also open a condition: "had he known, he would have come"."""
CONSEQUENCES = _set("would might could should will i'd he'd she'd we'd they'd you'd")
HOW_MUCH = _set("many much long old far often soon big large high fast well come about")

INTRODUCTIONS = (
    ("well",),
    ("however",),
    ("therefore",),
    ("moreover",),
    ("furthermore",),
    ("nevertheless",),
    ("nonetheless",),
    ("meanwhile",),
    ("consequently",),
    ("unfortunately",),
    ("fortunately",),
    ("actually",),
    ("yes",),
    ("no",),
    ("oh",),
    ("of", "course"),
    ("for", "example"),
    ("for", "instance"),
    ("in", "fact"),
    ("in", "addition"),
    ("in", "conclusion"),
    ("first", "of", "all"),
    ("after", "all"),
    ("as", "a", "result"),
    ("on", "the", "other", "hand"),
    ("by", "the", "way"),
)
ALONE = _set("well however no oh")
"""Of those, the ones that mean something else unless a subject follows."""

JOINING = _set("and or so")
NOT_BEFORE_BUT = _set("nothing anything all last anyone no none everything not")

DAYS = _set("monday tuesday wednesday thursday friday saturday sunday")
MONTHS = _set("january february april june july august september october november december")
VERB_MONTHS = _set("may march")
BEFORE_MONTHS = _set("in of on since until last next this early late mid every by during")
_PLURAL_DAYS = frozenset(f"{day}s" for day in DAYS)

# Not here: what is a common word as well (polish, turkey, chad, jordan, guinea, china's plates).
COUNTRIES = _set(
    "afghanistan albania algeria argentina armenia australia austria bangladesh belarus belgium"
    " bolivia botswana brazil britain bulgaria cambodia cameroon canada chile china colombia"
    " croatia cuba cyprus denmark ecuador egypt england estonia ethiopia europe finland france"
    " germany ghana greece guatemala haiti honduras hungary iceland india indonesia iran iraq"
    " ireland israel italy jamaica japan kazakhstan kenya korea kuwait laos latvia lebanon libya"
    " lithuania luxembourg malaysia malta mexico mongolia morocco mozambique myanmar namibia nepal"
    " netherlands nicaragua nigeria norway pakistan palestine panama paraguay peru philippines"
    " poland portugal qatar romania russia rwanda scotland senegal serbia singapore slovakia"
    " slovenia somalia spain sudan sweden switzerland syria taiwan tanzania thailand tunisia uganda"
    " ukraine uruguay uzbekistan venezuela vietnam wales yemen zambia zimbabwe africa america asia"
    " antarctica"
)
NATIONALITIES = _set(
    "afghan african albanian algerian american americans arab arabic argentine armenian asian"
    " australian australians austrian bangladeshi belgian bengali brazilian british bulgarian"
    " canadian canadians cantonese chilean chinese christian christians christmas colombian cuban"
    " czech danish dutch egyptian english englishman ethiopian european europeans filipino finnish"
    " french frenchman german germans greek greeks gujarati hebrew hindi hindu hungarian indian"
    " indians indonesian iranian iraqi irish islam islamic israeli italian italians jamaican"
    " japanese jewish kannada kenyan korean latin latvian lebanese lithuanian malay malayalam"
    " malaysian mandarin marathi mexican mexicans moroccan muslim nepali nigerian norwegian odia"
    " pakistani persian peruvian portuguese punjabi romanian russian russians sanskrit scottish"
    " serbian sinhala slovak spanish sudanese swahili swedish swiss syrian tamil telugu thai"
    " tibetan tunisian turkish ukrainian urdu venezuelan vietnamese welsh"
)
PROPER = DAYS | _PLURAL_DAYS | MONTHS | COUNTRIES | NATIONALITIES
PROPER_PAIRS = frozenset(
    {
        ("united", "states"),
        ("united", "kingdom"),
        ("new", "zealand"),
        ("south", "africa"),
        ("north", "korea"),
        ("south", "korea"),
        ("saudi", "arabia"),
        ("sri", "lanka"),
        ("hong", "kong"),
        ("costa", "rica"),
        ("el", "salvador"),
        ("great", "britain"),
        ("northern", "ireland"),
        ("south", "america"),
        ("north", "america"),
        ("european", "union"),
        ("united", "nations"),
        ("middle", "east"),
        ("puerto", "rico"),
        ("ivory", "coast"),
        ("sierra", "leone"),
    }
)
ACRONYMS = {"usa": "USA", "uk": "UK", "eu": "EU"}
TITLES = {"mr": "Mr.", "mrs": "Mrs.", "ms": "Ms.", "dr": "Dr."}
BEFORE_NAMES = frozenset(TITLES) | _set("mister")
