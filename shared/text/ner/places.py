"""Names of places, and words that places are made of; written from general knowledge."""

from shared.text.wordlists import phrase_set, word_set

COUNTRIES = phrase_set(
    "afghanistan, albania, algeria, angola, argentina, armenia, australia, austria, azerbaijan,"
    " bahrain, bangladesh, belarus, belgium, belize, benin, bhutan, bolivia, botswana, brazil,"
    " bulgaria, cambodia, cameroon, canada, chad, chile, china, colombia, costa rica, croatia,"
    " cuba, cyprus, czech republic, denmark, dominican republic, ecuador, egypt, el salvador,"
    " england, eritrea, estonia, ethiopia, fiji, finland, france, georgia, germany, ghana, great"
    " britain, greece, guatemala, guinea, guyana, haiti, holland, honduras, hong kong, hungary,"
    " iceland, india, indonesia, iran, iraq, ireland, israel, italy, ivory coast, jamaica, japan,"
    " jordan, kazakhstan, kenya, kosovo, kuwait, laos, latvia, lebanon, liberia, libya, lithuania,"
    " luxembourg, macau, madagascar, malawi, malaysia, maldives, mali, malta, mauritius, mexico,"
    " moldova, monaco, mongolia, montenegro, morocco, mozambique, myanmar, namibia, nepal,"
    " netherlands, new zealand, nicaragua, niger, nigeria, north korea, northern ireland, norway,"
    " oman, pakistan, palestine, panama, papua new guinea, paraguay, peru, philippines, poland,"
    " portugal, puerto rico, qatar, romania, russia, rwanda, saudi arabia, scotland, senegal,"
    " serbia, sierra leone, singapore, slovakia, slovenia, somalia, south africa, south korea,"
    " south sudan, spain, sri lanka, sudan, sweden, switzerland, syria, taiwan, tajikistan,"
    " tanzania, thailand, togo, tunisia, turkey, turkmenistan, uganda, uk, ukraine, united arab"
    " emirates, united kingdom, united states, united states of america, uruguay, us, usa,"
    " uzbekistan, vatican, venezuela, vietnam, wales, yemen, zambia, zimbabwe, u.s., u.k., u.s.a.,"
    " uae"
)
STATES = phrase_set(
    "alabama, alaska, arizona, arkansas, california, colorado, connecticut, delaware, florida,"
    " hawaii, idaho, illinois, indiana, iowa, kansas, kentucky, louisiana, maine, maryland,"
    " massachusetts, michigan, minnesota, mississippi, missouri, montana, nebraska, nevada, new"
    " hampshire, new jersey, new mexico, north carolina, north dakota, ohio, oklahoma, oregon,"
    " pennsylvania, rhode island, south carolina, south dakota, tennessee, texas, utah, vermont,"
    " virginia, west virginia, wisconsin, wyoming, ontario, quebec, british columbia, alberta,"
    " manitoba, saskatchewan, nova scotia, andhra pradesh, arunachal pradesh, assam, bihar,"
    " chhattisgarh, goa, gujarat, haryana, himachal pradesh, jharkhand, karnataka, kerala, madhya"
    " pradesh, maharashtra, manipur, meghalaya, mizoram, nagaland, odisha, punjab, rajasthan,"
    " sikkim, tamil nadu, telangana, tripura, uttar pradesh, uttarakhand, west bengal, kashmir,"
    " new south wales, queensland, tasmania, bavaria, catalonia, andalusia, tuscany, sicily,"
    " siberia, crimea"
)
CITIES = phrase_set(
    "abu dhabi, accra, adelaide, agra, ahmedabad, albany, albuquerque, alexandria, algiers,"
    " allahabad, amsterdam, anchorage, ankara, antwerp, athens, atlanta, auckland, austin,"
    " baghdad, bahia, baku, baltimore, bangalore, bangkok, barcelona, beijing, beirut, belfast,"
    " belgrade, bengaluru, berlin, bern, bhopal, bilbao, birmingham, bogota, bogotá, bologna,"
    " bombay, bonn, bordeaux, boston, bratislava, brisbane, bristol, brooklyn, brussels,"
    " bucharest, budapest, buenos aires, buffalo, cairo, calcutta, calgary, cambridge, canberra,"
    " cape town, caracas, cardiff, casablanca, chandigarh, charlotte, chennai, chicago,"
    " cincinnati, cleveland, cologne, colombo, copenhagen, dakar, dallas, damascus, dar es salaam,"
    " dehradun, delhi, denver, des moines, detroit, dhaka, doha, dresden, dubai, dublin, durban,"
    " edinburgh, el paso, florence, fort worth, frankfurt, geneva, genoa, ghent, glasgow,"
    " guadalajara, guangzhou, gurgaon, gurugram, guwahati, hamburg, hanoi, havana, helsinki,"
    " hiroshima, ho chi minh city, honolulu, houston, hyderabad, indianapolis, indore, islamabad,"
    " istanbul, jacksonville, jaipur, jakarta, jerusalem, johannesburg, kabul, kampala, kanpur,"
    " kansas city, karachi, kathmandu, kiev, kyiv, kingston, kochi, kolkata, krakow, kuala lumpur,"
    " kyoto, lagos, lahore, las vegas, leeds, leipzig, lima, lisbon, liverpool, london, los"
    " angeles, louisville, lucknow, ludhiana, lyon, madison, madras, madrid, malaga, manchester,"
    " manhattan, manila, marrakesh, marseille, mecca, medellin, melbourne, memphis, mexico city,"
    " miami, milan, milwaukee, minneapolis, monterrey, montevideo, montreal, moscow, mumbai,"
    " munich, mysore, nagpur, nairobi, naples, nashville, new delhi, new orleans, new york, new"
    " york city, newark, newcastle, noida, nottingham, oakland, orlando, osaka, oslo, ottawa,"
    " oxford, palermo, palo alto, paris, patna, perth, philadelphia, phoenix, pittsburgh,"
    " portland, porto, prague, pretoria, pune, quito, raipur, raleigh, ranchi, rawalpindi, riga,"
    " rio de janeiro, riyadh, rome, rotterdam, sacramento, saint petersburg, salt lake city, san"
    " antonio, san diego, san francisco, san jose, santa barbara, santiago de chile, sao paulo,"
    " são paulo, sarajevo, seattle, seoul, seville, shanghai, sheffield, shenzhen, silicon valley,"
    " sofia, southampton, springfield, srinagar, st. louis, stockholm, strasbourg, stuttgart,"
    " surat, sydney, taipei, tallinn, tampa, tbilisi, tehran, tel aviv, thiruvananthapuram, tokyo,"
    " toronto, toulouse, trivandrum, tripoli, tucson, tunis, turin, valencia, vancouver, varanasi,"
    " venice, vienna, vilnius, visakhapatnam, warsaw, washington, washington dc, wellington,"
    " yangon, yokohama, zagreb, zurich, zürich"
)
REGIONS = phrase_set(
    "africa, america, antarctica, asia, europe, north america, south america, latin america,"
    " middle east, scandinavia, balkans, caribbean, himalayas, alps, andes, sahara, amazon river,"
    " atlantic ocean, pacific ocean, indian ocean, mediterranean, black sea, red sea, north sea,"
    " persian gulf, mount everest, niagara falls, grand canyon, wall street, times square, central"
    " park, hyde park, heathrow, hollywood, harlem, queens, bronx, bay area, european union,"
    " ganges, thames, nile, danube, mississippi river, lake michigan, lake victoria, red fort, taj"
    " mahal, eiffel tower, golden gate bridge"
)
PLACES = COUNTRIES | STATES | CITIES | REGIONS

NOT_IN_LOWER_CASE = phrase_set(
    "us, chad, china, georgia, guinea, jordan, turkey, charlotte, florence, mali, oman, sofia,"
    " bath, buffalo, phoenix, madison, queens, maine, kingston, newark, medellin, goa, perth,"
    " victoria, oxford, cambridge, springfield, virginia, denver, niger, chile, carolina, america,"
    " austin, orlando, houston, savannah, uk, lima, bern, wellington, washington"
)
"""Names that are a word, or a person's, where capitals do not tell."""
ALSO_PEOPLE = phrase_set(
    "austin, charlotte, chad, florence, georgia, jordan, madison, orlando, sofia, virginia,"
    " washington, houston, israel, carolina, wellington, victoria, kingston"
)

PLACE_HEADS = word_set("lake mount mt cape fort port river isle gulf san santa saint st")
"""Before a name they make a place of it."""
PLACE_TAILS = word_set(
    "river lake mountain mountains island islands county city valley bay beach bridge park street"
    " avenue road boulevard square airport station province district desert ocean sea canyon"
    " forest falls peninsula peak hills heights village township lane drive highway palace castle"
    " harbor harbour"
)
"""After a name they make a place of it."""
BEFORE_PLACES = word_set("in near to from visit visiting visited outside across toward towards")
RESIDENCE = word_set(
    "live lives lived living based born moved moving located headquartered arrived travel traveled"
    " travelled traveling flew flying fly drove driving went going raised resides grew"
)
