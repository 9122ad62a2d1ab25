"""Names that people have, and words that tell of a name near them.

Written for this project from general knowledge: common names of English, Spanish, Indian, French,
German, Arabic and East Asian speakers. Names that are common words as well are listed apart.
"""

from shared.text.wordlists import word_set

GIVEN_NAMES = word_set(
    "aaron abdul abdullah abigail abraham adam adrian agnes ahmad ahmed aisha akash alan albert"
    " alberto alejandro alex alexander alexandra alexis alfred alfredo ali alice alicia alison"
    " allison amanda amar amelia amina amir amit amitabh amy ana anand anandi andre andrea andreas"
    " andres andrew andy angela angelica anil anita anjali ankit ann anna anne annie anthony"
    " antoine antonio anton anusha anya aparna arash arjun armando arnold arthur arun aruna asha"
    " ashley ashok audrey barbara barry beatriz ben benjamin bernard bernardo beth bethany betty"
    " beverly bhavna bianca bilal bob bobby bonnie brandon brenda brian bridget brittany bruce"
    " bryan caitlin camila camille carl carla carlos carmen carol carolina caroline carolyn"
    " catherine cecilia cesar chandra charles charlie charlotte chen cheryl chloe chris christian"
    " christina christine christopher cindy claire clara claudia clarence colin connor craig"
    " cristina cynthia daniel daniela danielle danny darren dave david deborah deepa deepak"
    " deepika denise dennis derek devi diana diane diego dimitri divya dmitri dominic donald donna"
    " dorothy doug douglas duncan dylan eduardo edward edwin eileen elaine elena eleanor elias"
    " elijah elizabeth ellen emily emma emmanuel enrique eric erica erik ernest esther ethan"
    " eugene eva evelyn farah fatima felipe felix fernando fiona florence francesca francisco"
    " francois frank franklin fred frederick gabriel gabriela ganesh gareth gary gaurav geoff"
    " geoffrey george gerald geraldine gina gita gloria gonzalo gopal gordon graham greg gregory"
    " guillermo gustavo hamid hannah hans harish harold harriet harry hassan hector heather hector"
    " helen helena henry hiroshi howard hugh hugo hussein ian ibrahim ignacio imran indira ines"
    " ingrid irene isaac isabel isabella ivan jack jacob jacqueline jaime jake james jamie jan"
    " jane janet janice jason javier jay jean jeff jeffrey jennifer jeremy jerome jerry jesse"
    " jessica jesus jill jim jimmy joan joanna joanne joe joel johann john johnny jonathan jorge"
    " jose joseph joshua joyce juan juana judith judy julia julian julie julio justin jyoti kabir"
    " kamal karan karen karim karl karthik kate katherine kathleen kathryn kathy katie kavita"
    " keith kelly ken kenneth kenji kevin khalid kim kiran kimberly krishna kristen kristin kumar"
    " kunal kyle lakshmi larry laura lauren laurence lawrence leah leila lena leo leon leonard"
    " leonardo leslie lewis li liam lila lillian linda lisa logan lorenzo lorraine louis louise"
    " lucas lucia lucy luis luisa luke lydia lynn madeline maggie mahesh malcolm manish manoj"
    " manuel marc marcel marco marcos marcus margaret maria mariana marie marilyn mario marion"
    " marisol marjorie mark marta martha martin martina mary mateo matthew maurice max maya meena"
    " meera megan mei melanie melissa mercedes michael michel michelle miguel mike miles minh"
    " miriam mohammed mohamed mohan mohit molly monica monique morgan mukesh muhammad nadia naina"
    " nancy naomi narendra natalia natalie natasha nathan nathaniel naveen neha neil nicholas nick"
    " nicola nicolas nicole nikhil nikita nina nisha nitin noah noor norma norman oliver olivia"
    " omar oscar otto pablo padma pamela paola patricia patrick paul paula paulo pedro peggy peter"
    " philip phillip phyllis pierre pooja prakash pranav prasad pratik preeti prem priya priyanka"
    " rachel radha rafael raghav rahul raj rajan rajesh rajiv ralph ram ramesh ramon rania ranjit"
    " raquel rashid ravi raymond rebecca rekha ricardo richard rick rita ritu robert roberto robin"
    " rodrigo roger rohan rohit roland roman ron ronald rosa rosalind rosemary ross roxanne roy"
    " ruben rupert russell ruth ryan sachin sally salma sam samantha samir samuel sandeep sandra"
    " sanjay santiago sara sarah satish scott sean sebastian serena sergei sergio seth shahid"
    " shankar shanti sharon shawn sheila shirley shreya shyam silvia simon simone sita sneha sofia"
    " sonia sophia sophie srinivas stacy stanley stefan stella stephanie stephen steve steven"
    " stuart sudha suman sumit sunil sunita suresh surya susan sushma swati sylvia tamara tanya"
    " tara tariq teresa terry theodore theresa thomas tim timothy tina todd tom tomas tony tracy"
    " travis trevor tyler uma umar usha valentina valeria vanessa varun vera veronica vicente"
    " vicky victor victoria vijay vikas vikram vincent vinod viola virginia vishal vivek vivian"
    " vladimir walter wanda wayne wei wendy wilhelm william yasmin yolanda yousef yuki yusuf"
    " yvonne zachary zainab zara zoe"
)

AMBIGUOUS_GIVEN = word_set(
    "april art august bill brook carol chase chris christian dawn dean drew earl eve faith frank"
    " gay gene glen grace grant guy harry hope ivy jack jan jay jean jesse jose joy june ken kim"
    " kiran lance li lily lynn major marina mark max may mercedes mercy mike miles morgan norma"
    " olive pat penny prem prince pearl ram ray rich rick rob robin rod rose ross roy ruby sandy"
    " sam skip sky sonia stacy sue summer surya terry tina tony victor viola violet wade ward will"
    " wei"
)
"""Given names that are words of their own, or short enough to be something else."""

SURNAMES = word_set(
    "adams agarwal aggarwal ahmed alexander allen alvarez anderson andrews ansari armstrong arora"
    " bailey banerjee barnes bauer becker bell bennett bernard bhat bhatt bhattacharya bose brooks"
    " brown bryant butler campbell carter castillo castro chakraborty chan chandra chang"
    " chatterjee chaudhary chavez chen choi chopra chowdhury clark clarke cohen coleman collins"
    " cooper cox cruz das dasgupta davies davis delgado desai deshmukh deshpande diaz dixit doe"
    " dubey dubois dutta edwards einstein ellis evans fernandes fernandez fischer fisher"
    " fitzgerald flores ford foster fraser garcia gandhi garg george gibson gill goldberg gomez"
    " gonzales gonzalez gordon goswami graham griffin gupta gutierrez hall hamilton harris"
    " harrison hayes henderson hernandez herrera hill hoffmann holmes howard huang hughes hussain"
    " huynh iyer iyengar jackson jain james jenkins jha jimenez johansson johnson johnston jones"
    " jordan joshi kapoor kaur kelly kennedy khan khanna kim king klein kohli koch krishnan"
    " krishnamurthy kulkarni kumar lee lefebvre lewis lim lin liu long lopez mahajan malhotra"
    " malik mann marshall martin martinez mason mcdonald mehra mehta mendoza menon mercier meyer"
    " miller mills mishra mitchell mitra modi mohammed moore morales moreau moreno morgan morris"
    " mueller mukherjee murphy murray myers nadar naidu nair nakamura narayan narayanan nehru"
    " nelson nguyen oberoi ortega ortiz owens pandey park parker patel patil patterson perez"
    " perkins perry peters peterson petrov pham phillips pillai pinto porter powell prasad price"
    " qureshi raghunathan rahman rajan ramirez ramos rana rangan rao reddy reed reyes reynolds"
    " richards richardson rivera roberts robertson robinson rodrigues rodriguez rogers rojas"
    " romero rossi roy russell ruiz saini salazar sanchez sanders sandhu santos sato saxena"
    " schmidt schneider schulz schwartz scott sen sengupta seth shah shaikh shankar sharma shaw"
    " sheikh shetty shukla silva simmons simpson singh sinha smith snyder srinivasan srivastava"
    " stevens stewart stone subramanian sullivan suzuki swamy tan tanaka taylor thakur thapa"
    " thomas thompson tiwari torres tran tripathi turner vargas varghese varma vasquez venkatesh"
    " verma vyas wagner walker wallace wang ward washington watson weber welch west white williams"
    " williamson wilson wong wood woods wright wu yadav yamamoto yang young zhang zhao zimmermann"
)

PERSON_TITLES = word_set(
    "mr mrs ms miss mister dr doctor prof professor sir madam madame lady lord dame captain capt"
    " colonel col general gen lieutenant lt sergeant sgt officer detective inspector judge justice"
    " president senator sen congressman congresswoman governor gov mayor minister chancellor"
    " ambassador secretary reverend rev pastor father sister brother bishop pope king queen prince"
    " princess shri smt aunt uncle nurse coach chairman chairwoman"
)
SPOKEN_TITLES = word_set("mr mrs ms miss mister dr doctor prof professor")
"""Titles that a name follows even in a text without capitals."""

NAME_PARTICLES = word_set("de del da das do dos di van von der den la le bin ibn al el ben ter")
REPORTING = word_set(
    "said says told tells asked asks added adds replied explained announced wrote writes noted"
    " claimed argued stated warned called joined left met visited believes thinks wants works"
    " lives won lost agreed confirmed denied admitted insisted"
)

INTRODUCTIONS = (
    ("my", "name", "is"),
    ("name", "is"),
    ("my", "name", "'", "s"),
    ("name", "'", "s"),
    ("names",),
    ("i", "am", "called"),
    ("people", "call", "me"),
    ("you", "can", "call", "me"),
    ("just", "call", "me"),
    ("named",),
    ("full", "name", "is"),
    ("surname", "is"),
    ("first", "name", "is"),
    ("last", "name", "is"),
    ("maiden", "name", "is"),
    ("customer", "name", ":"),
    ("name", ":"),
)
"""After these a name follows, whatever it is."""

GREETINGS = (
    ("this", "is"),
    ("i", "am"),
    ("i", "'", "m"),
    ("i'm",),
    ("it", "is"),
    ("it", "'", "s"),
    ("speaking", "with"),
    ("speak", "with"),
    ("speak", "to"),
    ("speaking", "to"),
    ("talk", "to"),
    ("talking", "to"),
    ("call", "me"),
    ("hi",),
    ("hello",),
    ("hey",),
    ("dear",),
    ("thanks",),
    ("thank", "you"),
    ("sorry",),
    ("morning",),
    ("afternoon",),
    ("regards", ","),
    ("sincerely", ","),
    ("wife",),
    ("husband",),
    ("son",),
    ("daughter",),
    ("mother",),
    ("manager",),
    ("colleague",),
    ("friend",),
)
"""After these a known given name is one."""
