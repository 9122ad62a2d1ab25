"""Words that carry grammar and not content, by language; written by hand."""

from shared.text.wordlists import word_set

STOP_WORDS = {
    "en": word_set(
        "a about above across after again against ago all almost along already also although"
        " always am among an and another any anybody anyone anything are aren't around as ask at"
        " away back be became because become been before began behind being below between both but"
        " by call called came can can't cannot come comes could couldn't did didn't do does"
        " doesn't doing don't done down during each either else enough even ever every everybody"
        " everyone everything few for from further gave get gets getting give given go goes going"
        " gone gonna good got great had hadn't has hasn't have haven't having he he'd he'll he's"
        " her here hers herself hi hello hey him himself his how however i i'd i'll i'm i've if in"
        " into is isn't it it's its itself just keep kind know last later least less let let's"
        " like little long look lot made make makes many may maybe me might mine more most much"
        " must my myself near need neither never new next no nobody none nor not nothing now of"
        " off often oh ok okay old on once one only onto or other others our ours ourselves out"
        " over own per perhaps please put quite rather really right said same saw say says see"
        " seem seen several shall she she'd she'll she's should shouldn't since so some somebody"
        " someone something soon still such sure take taken tell than thank thanks that that's the"
        " their theirs them themselves then there there's these they they'd they'll they're"
        " they've thing things think this those though through thus to today together told too"
        " took toward towards two under until up upon us use used uses using very via want wants"
        " was wasn't way we we'd we'll we're we've well went were weren't what what's when where"
        " whether which while who who's whole whom whose why will with within without won't would"
        " wouldn't yeah yes yet you you'd you'll you're you've your yours yourself um uh er mm hmm"
    ),
    "es": word_set(
        "a además ahora al algo algún alguna algunas alguno algunos allí ambos ante antes aquel"
        " aquella aquellas aquello aquellos aquí así aun aún aunque bajo bien cada casi como cómo"
        " con contra cual cuál cuales cualquier cuando cuándo cuanto de debe deben del demás"
        " dentro desde después dice dijo donde dónde dos durante e el él ella ellas ello ellos en"
        " entonces entre era eran es esa esas ese eso esos esta está están estaba estar estas este"
        " esto estos fue fueron ha había haber hace hacer hacia han hasta hay he hizo hoy la las"
        " le les lo los luego más me mediante menos mi mí mientras mis misma mismo mucha muchas"
        " mucho muchos muy nada ni ningún ninguna no nos nosotros nuestra nuestras nuestro"
        " nuestros nunca o os otra otras otro otros para pero poco por porque pues que qué quien"
        " quién quienes se sea según ser si sí sido siempre sin sino sobre solo sólo son su sus"
        " suya suyo también tan tanto te tiene tienen toda todas todavía todo todos tras tu tú tus"
        " u un una unas uno unos usted ustedes va van y ya yo"
    ),
    "hi": word_set(
        "अपना अपनी अपने अब अभी आदि आप आपका आपकी आपके इतना इन इनका इनकी इनके इन्हें इस इसका इसकी"
        " इसके इसमें इसलिए इसी इसे उन उनका उनकी उनके उन्हें उस उसका उसकी उसके उसे एक एवं ऐसा ऐसे"
        " और कई कब कभी कम कर करके करता करती करते करना करने करें कहते कहा का किया किसी की कुछ के को"
        " कोई कौन क्या क्यों गई गए गया गयी चाहिए जब जहाँ जा जाता जाती जाते जाना जाने जिन जिस जिसका"
        " जिसकी जिसके जिसमें जिसे जैसा जैसे जो तक तब तथा तरह तुम तो था थी थीं थे दिया दी दे द्वारा"
        " नहीं ना ने पर पहले फिर बहुत बाद बार भी मगर मुझे में मेरा मेरी मेरे मैं यदि यह यहाँ या ये"
        " रहा रही रहे लिए लेकिन व वह वहाँ वाला वाली वाले वे वो सकता सकती सकते सब सभी साथ से हम"
        " हमारा हमारी हमारे ही हुआ हुई हुए हूँ है हैं हो होगा होगी होता होती होते होना होने"
    ),
}
