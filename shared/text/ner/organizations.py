"""Names of organizations, and words that such names are made of; from general knowledge."""

from shared.text.wordlists import phrase_set, word_set

ORGANIZATIONS = phrase_set(
    "accenture, adidas, adobe, airbnb, airbus, aldi, alibaba, allianz, alphabet, amazon, amd,"
    " american airlines, american express, amnesty international, apollo hospitals, apple,"
    " associated press, at&t, audi, axis bank, bank of america, barclays, basf, bayer, bbc,"
    " berkshire hathaway, bharti airtel, blackrock, bloomberg, bmw, boeing, bosch, bp, british"
    " airways, cambridge university, capital one, cbs, chevron, cia, cisco, citibank, citigroup,"
    " cnn, coca-cola, comcast, congress, costco, credit suisse, daimler, dell, deloitte, delta air"
    " lines, deutsche bank, dhl, disney, dropbox, dupont, ebay, ericsson, ernst & young, espn,"
    " european central bank, european commission, european parliament, exxon, exxonmobil,"
    " facebook, fbi, fda, federal reserve, fedex, fiat, fifa, flipkart, ford motor, foxconn,"
    " general electric, general motors, github, gitlab, goldman sachs, google, greenpeace,"
    " harvard, harvard university, hdfc, hdfc bank, hewlett-packard, hitachi, home depot, honda,"
    " honeywell, house of representatives, hp, hsbc, huawei, hyundai, ibm, icici bank, ikea, imf,"
    " indian railways, infosys, ing, intel, interpol, irs, isro, jpmorgan, jpmorgan chase, kfc,"
    " kpmg, lego, lenovo, lg, linkedin, lockheed martin, london school of economics, lufthansa,"
    " marriott, mastercard, mcdonald's, mckinsey, medicare, mercedes-benz, merck, meta, microsoft,"
    " mit, morgan stanley, nasa, nasdaq, nato, nestle, nestlé, netflix, new york times, nhs, nike,"
    " nintendo, nissan, nokia, novartis, nsa, nvidia, nypd, openai, oracle, oxford university,"
    " panasonic, parliament, paypal, pepsi, pepsico, pfizer, philips, pinterest, porsche, procter"
    " & gamble, pwc, qualcomm, red cross, reddit, reliance, reliance industries, renault, reserve"
    " bank of india, reuters, roche, royal bank of scotland, salesforce, samsung, santander, sap,"
    " sbi, sec, senate, shell, siemens, skype, slack, snapchat, softbank, sony, spacex, spotify,"
    " standard chartered, stanford, stanford university, starbucks, state bank of india, stripe,"
    " supreme court, t-mobile, tata, tata consultancy services, tata motors, tcs, tesla, tesco,"
    " tiktok, toshiba, toyota, twitter, uber, ubs, un, unesco, unicef, unilever, united airlines,"
    " united nations, ups, us airways, verizon, visa, vodafone, volkswagen, volvo, walmart,"
    " washington post, wells fargo, whatsapp, white house, who, wikipedia, wipro, world bank,"
    " world health organization, wto, yahoo, yale, yale university, youtube, zomato, zoom"
)
NOT_IN_LOWER_CASE = phrase_set(
    "apple, amazon, meta, oracle, shell, visa, zoom, slack, stripe, sec, who, un, ups, ford, lego,"
    " delta, target, gap, bp, hp, lg, ing, mit, pwc, congress, parliament, senate, skype, dell,"
    " alphabet, capital one, reliance, sap, intel, nike, uber, adobe, tata, merck, nokia, roche,"
    " irs, cia, fiat"
)
"""Names that are a word where capitals do not tell."""
ACRONYMS = phrase_set("who, un, sec, us, ups, ing, mit, sap, hp, lg, bp, imf, irs, fda, nsa")
"""Organizations only in capitals throughout."""

LEGAL_FORMS = word_set(
    "inc incorporated ltd limited llc llp corp corporation plc gmbh ag pvt co kg"
)
TAILS = word_set(
    "bank university institute college school hospital clinic airlines airways group holdings"
    " foundation association society committee commission council agency authority ministry"
    " department company industries motors technologies systems solutions partners consulting"
    " insurance pharmaceuticals laboratories labs entertainment studios records press times"
    " journal museum church union party police army navy court parliament club fc united academy"
    " telecom electronics energy airlines railways logistics enterprises ventures capital"
    " federation league orchestra"
)
"""Last words of organizations' names; written with a capital."""
HEADS = word_set(
    "university bank department ministry institute college school office bureau church house"
    " court board council academy"
)
"""First words of names that go on with "of"."""
AFTER_WORK = (
    ("works", "for"),
    ("work", "for"),
    ("working", "for"),
    ("worked", "for"),
    ("works", "at"),
    ("work", "at"),
    ("working", "at"),
    ("worked", "at"),
    ("job", "at"),
    ("employed", "by"),
    ("hired", "by"),
    ("acquired", "by"),
    ("ceo", "of"),
    ("founder", "of"),
    ("director", "of"),
    ("president", "of"),
    ("chairman", "of"),
    ("shares", "of"),
    ("calling", "from"),
    ("company", "called"),
    ("joined",),
    ("acquired",),
)
"""After these a name that nothing else explains is an organization's."""
