//! Words and phrases of feeling, as callers use them on a support line.
//!
//! Our own writing and our own weights, from -4 (rage) to 4 (delight). A phrase counts once and its
//! words do not count again.

/// Phrases by weight, separated by commas; the longest that matches counts.
pub(super) const LEXICON: &[(f32, &str)] = &[
    (
        -3.6,
        "\
        fuck, fucking, fucked, fuck you, fuck off, motherfucker, cunt, piece of shit, go to \
        hell, bullshit, hate, hated, hates, hating, despise, scam, scammed, scammers, \
        fraudsters, liars, robbed, evil, rape, murder, killing, suicide, hateful, vile",
    ),
    (
        -3.0,
        "\
        shit, shitty, bastard, bastards, asshole, bitch, arsehole, crap, crappy, terrible, \
        horrible, horrific, awful, worst, disgusting, disgusted, disgrace, disgraceful, \
        appalling, atrocious, outrageous, outraged, furious, livid, enraged, infuriating, \
        infuriated, rip off, ripped off, lied, lying, liar, cheated, cheating, stolen, stole, \
        sue you, lawsuit, nightmare, abysmal, pathetic, incompetent, unforgivable, devastated, \
        devastating, worthless, abuse, abused, abusive, tragic, tragedy, died, death, dead, \
        terrified, heartbroken, heartbreaking, violence, violent, attack, terror, torture, \
        sickening, wtf",
    ),
    (
        -2.4,
        "\
        angry, anger, mad, useless, ridiculous, unacceptable, unbelievable, absurd, insane, \
        joke of a, fed up, sick of, sick and tired, had enough, had it with, enough is enough, \
        waste of time, wasting my time, waste my time, wasted, stupid, idiot, idiots, idiotic, \
        moron, morons, dumb, damn, damned, goddamn, hell, suck, sucks, sucked, frustrating, \
        frustrated, frustration, fuming, rude, insulting, insult, offensive, garbage, rubbish, \
        trash, dreadful, hopeless, lousy, ashamed, shame on you, shameful, screwed, screw you, \
        screw this, screwed up, messed up, betrayed, misled, misleading, ruined, ruin, \
        ruining, destroyed, miserable, depressed, depressing, suffering, suffer, unfair, \
        unjust, dishonest, shady, report you, complaint, complain, complaining, threatened, \
        threat, harass, harassed, harassment, fail, failed, failure, fails, failing, poor, \
        bad, badly, worse, cruel, ugly, crying, cry, cried, tears, scared, scary, afraid, \
        fear, panic, panicking, desperate, sick, pain, painful, hurt, hurts, hurting, crazy, \
        disaster, catastrophe, lost everything, kill, victim, war, crime, criminal, guilty",
    ),
    (
        -1.8,
        "\
        annoyed, annoying, irritated, irritating, upset, upsetting, unhappy, dissatisfied, \
        disappointed, disappointing, disappointment, let down, broken, broke, wrong, not \
        working, doesnt work, dont work, didnt work, isnt working, not acceptable, not good \
        enough, no one helps, nobody helps, no help, nobody listens, not listening, dont \
        listen, ignored, ignoring, hung up on, hung up, hang up, cut off, kept waiting, on \
        hold, waiting for hours, for hours, for weeks, for months, all day, third time, fourth \
        time, fifth time, sixth time, tenth time, second time, how many times, so many times, \
        every single time, over and over, again and again, twice already, told you, already \
        told, keep telling, keep asking, keep saying, keep getting, runaround, run around, \
        going in circles, getting nowhere, what is wrong with you, worried, worry, worrying, \
        anxious, stressed, stressful, stress, overcharged, double charged, charged twice, \
        mess, missing, lose, losing, lost, sad, sadly, sorrow, grief, lonely, alone, tired, \
        exhausted, exhausting, boring, bored, jealous, regret, guilt, embarrassed, \
        embarrassing, awkward, nervous, trouble, troubled, problem, problems, issue, issues, \
        difficult, hard time, struggle, struggling, reject, rejected, refuse, refused, \
        refusing, denied, deny, blame, blamed, weak, fault, mistake, mistakes, error, errors, \
        late, delayed, delay, delays, slow, stuck, cancel my, close my account, switch to \
        another, taking my business, leave you, never again, not happy, cant believe, cannot \
        believe, ugh, argh, damaged, damage, dangerous, danger, ill, hungry, cold, dirty, \
        nasty, gross, weird, fake, false, fool, foolish, silly, lazy, selfish, arrogant, \
        ignorant, nonsense, expensive, overpriced, debt, arrested, jail, accident, crash, \
        crashed, fight, fighting, hit, shot, bomb, drunk, miss, missed, missing you, sorry for",
    ),
    (
        -1.0,
        "\
        confused, confusing, concerned, concern, unfortunately, unfortunate, unclear, \
        complicated, inconvenient, inconvenience, doubt, doubtful, suspicious, strange, \
        forgot, forgotten, dont understand, do not understand, doesnt make sense, makes no \
        sense, no idea, you dont get it, thats not what, not what i said, thats not right, \
        that is not right, no no no, come on, seriously, really now, what do you mean, excuse \
        me, supposed to, still waiting, still not, still no, still havent, still hasnt, not \
        yet, have to wait, waiting, wait, waited, cant, cannot, couldnt, unable, impossible, \
        never, nothing, nobody, none, sorry, oh no, meh, bother, bothered, bothering, bug, \
        bugs, warning, warned, pressure, limited, lack, lacking, empty, cheap",
    ),
    (
        -0.5,
        "\
        again, still, yet again, already, why, wont, no, stop, quit, hmm, whatever, refund, \
        money back, supervisor, but",
    ),
    (
        1.0,
        "\
        ok, okay, fine, sure, alright, all right, yes, yeah, yep, understood, i see, got it, \
        makes sense, sounds good, no problem, no worries, no thanks, no thank you, not bad, \
        fair enough, correct, exactly, clear, ready, interested, interesting, hope, hoping, hopefully, \
        wish, calm, \
        easy, agree, agreed, like, likes, liked, useful, welcome, new, free, cute, safe, true, \
        fair, please, better, support, supported, trust, care, cares, favor, hello, hi, good \
        morning, good afternoon, good evening, good day, confident, curious, dear, fresh, \
        rich, strong, top, save, saved",
    ),
    (
        1.8,
        "\
        thanks, thank you, thx, ty, thank, cheers, appreciate, appreciated, appreciative, \
        grateful, good, nice, glad, pleased, helpful, helped, helping, help me out, kind, \
        kindly, friendly, polite, patient, relieved, relief, satisfied, happy with, works now, \
        working now, that worked, it works, fixed, solved, resolved, sorted, cool, fun, funny, \
        lol, haha, hahaha, smile, smiling, laugh, laughing, enjoy, enjoyed, enjoying, proud, \
        lucky, luck, warm, sweet, clever, smart, bright, honest, comfortable, comfort, \
        relaxed, relaxing, peace, peaceful, win, winning, won, winner, success, successful, \
        celebrate, celebrating, party, gift, birthday, friend, friends, hug, hugs, pretty, \
        well done, good job, nice work, impressive, impressed, inspired, inspiring, yay, woo, \
        woohoo, hooray, congrats, congratulations, bless, blessed, blessing, promise, reward, \
        recommend, improved, progress, pleasure",
    ),
    (
        2.4,
        "\
        great, happy, thank you so much, thank you very much, thanks a lot, thanks so much, \
        many thanks, wonderful, lovely, brilliant, fantastic, awesome, super, delighted, \
        excited, exciting, excitement, joy, joyful, beautiful, gorgeous, superb, terrific, \
        marvelous, splendid, life saver, lifesaver, saved my, you are the best, youre the \
        best, made my day, very helpful, so helpful, a star, adore, adorable, hilarious, \
        charming, perfect, perfectly, thrilled, cheerful, hero, talented, gold, epic, \
        sunshine, favorite, favourite, heaven, yum, delicious",
    ),
    (
        3.0,
        "\
        love, loved, loves, loving, lovin, amazing, excellent, best, incredible, outstanding, \
        ecstatic, overjoyed, magnificent, paradise, fabulous, phenomenal",
    ),
];

/// Words that turn what follows.
pub(super) const NEGATIONS: &str = "\
    not no never dont doesnt didnt isnt wasnt arent werent cant cannot couldnt wont wouldnt havent \
    hasnt hadnt without nobody none neither nor hardly barely aint";

/// Words that make what follows more.
pub(super) const INTENSIFIERS: &str = "\
    very so really extremely absolutely totally completely utterly incredibly super fucking \
    freaking bloody damn quite truly highly especially such complete absolute total beyond too \
    just real pure";

/// Words that make what follows less.
pub(super) const DAMPENERS: &str =
    "bit little slightly somewhat kinda sorta fairly almost partly maybe perhaps";
