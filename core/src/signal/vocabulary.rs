//! Words of asking for a human, by what they do in a sentence. General telephone English: no row of
//! any data set was copied.

/// Words that lead to a person.
pub(super) const ARTICLES: &str = "a an na the your ur some any another one of ya ye";

/// Whose person it is when it is not ours.
pub(super) const THEIRS: &str = "my our his her their its this that these those";

/// Words that mean nothing where they stand.
pub(super) const FILLERS: &str = "\
    uh um er erm hmm like please just well actually kind sort other different else new more nice \
    competent kindly possibly directly right";

/// What tells a person from a bot.
pub(super) const REALNESS: &str =
    "real live living actual human genuine proper breathing physical flesh normal";

/// Swearing before a person.
pub(super) const CURSES: &str = "\
    fucking freaking frigging friggin fricking fuckin effing damn damned goddamn goddam bloody \
    blasted stupid flipping bleeping darn f";

/// What a person of ours may be in charge of.
pub(super) const TRADES: &str = "\
    customer service services care support tech technical sales billing claims bank insurance \
    account accounts loan loans mortgage credit card fraud senior duty shift floor center centre \
    phone helpful qualified trained local relations retention retentions cancellation \
    cancellations payments booking reservations returns refunds complaints hotel store branch case \
    product english spanish speaking";

/// Bots, by any name.
pub(super) const MACHINES: &str = "\
    machine machines robot robots bot bots chatbot chatbots computer computers ai recording \
    recordings software program algorithm robotic automated virtual digital artificial voicebot \
    answerphone siri alexa automation";

/// Persons who can only be meant as ours.
pub(super) const PLAIN_PERSONS: &str = "\
    human humans representative representatives rep reps operator operators agent agents assistant \
    assistants advisor advisors adviser advisers associate attendant colleague colleagues coworker \
    manager managers supervisor supervisors boss superior staff employee employees worker workers \
    clerk teller banker specialist specialists expert technician receptionist consultant \
    dispatcher officer teammate";

/// Persons who may be anyone.
pub(super) const SOMEBODIES: &str = "\
    person persons people someone somebody anyone anybody individual being man woman lady guy \
    everyone";

/// Groups of persons.
pub(super) const DEPARTMENTS: &str = "\
    department team support sales billing reception retention retentions helpdesk helpline desk \
    care management cancellations claims complaints dept accounts office";

/// Nouns that make another thing of a person before them: human resources, person details.
pub(super) const DISTRACTING: &str = "\
    resources resource rights error errors nature trafficking fee fees number hours name code id \
    details account portal website app page email";

/// What makes an address of an agent.
pub(super) const NEARNESS: &str = "near nearby nearest closest close around";

/// Words that deny what follows.
pub(super) const NEGATORS: &str = "\
    dont not never without didnt doesnt no isnt arent wasnt wont havent hasnt wouldnt stop quit \
    avoid nobody neither nor";

/// Words that may stand between a negation and what it denies.
pub(super) const DENIAL_CARRIERS: &str = "\
    want wanna wants wanted need needed needing to like wish have has had me please you u be get \
    getting got ask asked asking trying looking even really just for would any more again longer \
    ever rather intend intending plan planning going gonna feel care said say interested in reason \
    point use necessary about yet actually reaching of go start keep come";

/// Verbs that let a negation reach over "I".
pub(super) const BELIEFS: &str = "think believe feel say said saying mean meant";

/// Words before a shape that belong to it.
pub(super) const WISHES: &str = "\
    i id im ive ill we wed you u want wanna would like need to can could may might let me us \
    please just gotta have got rather prefer wish must should love help assistance trying try how \
    do possible is it there way any a get demand insist on ask asking going gonna really now \
    hoping looking cant cannot couldnt wont why who what when where until";

/// What may surround a bare "agent".
pub(super) const POLITENESS: &str =
    "hello hi hey ok okay yes yeah no nope now sir so oh already and again alright then";

/// What may follow a bare "agent".
pub(super) const AFTERWARDS: &str = "thanks thank you for god gods sake heavens";

/// Verbs of talking.
pub(super) const TALKING: &str = "\
    talk talking speak speaking chat chatting converse connect connecting communicate deal dealing \
    interact discuss consult escalate escalated transferred connected redirected switched \
    forwarded";

/// What leads from a verb of talking to a person.
pub(super) const REACH_PREPOSITIONS: &str = "to with ot wth wit too thru through in onto";

/// Verbs of moving a call.
pub(super) const MOVES: &str = "\
    transfer connect put pass hand direct redirect switch forward route send patch escalate \
    transferring connecting putting passing move refer hook link";

/// What leads from "transfer me" to a person.
pub(super) const ONWARD: &str =
    "through thru over on onto to with up straight across along back directly";

/// Verbs of wanting.
pub(super) const WANTS: &str =
    "want need demand require prefer wanna have get like request rather wants expect";

/// Verbs of telling, to a machine.
pub(super) const TELLING: &str =
    "sharing share giving give telling tell discussing discuss explaining explain wasting waste";

/// Words worth mending.
pub(super) const MENDED: &str = "\
    agent assistant assistance human operator person representative somebody someone speak \
    speaking supervisor talking contact contacting chatting manager advisor customer transfer \
    connect";

/// Words one letter away from those, and right.
pub(super) const LEFT_ALONE: &str = "\
    taking walking contract manage managed manages peak speaks spoke agents humans persons \
    contacts costumer chatted connects transfers assistants operators humane contacted tanking \
    operate talkings contracting stalking speaker representatives managers advisors customers \
    balking sneak steak spear connected charting";
