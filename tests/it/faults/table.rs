//! The cases.

use std::time::Duration;

use handoff_core::call::Disposition;
use handoff_simulator::carrier::{CarrierEvent, FaultKind, Human, Purpose};
use tokio::task::LocalSet;

use super::play::{Act, Case, Ends};
use super::scene::{At, Caller, Scene};
use crate::stage::{bridged, rings, streams};

const BOTH: &[At] = &[At::Twilio, At::Plivo];
const TWILIO: &[At] = &[At::Twilio];
const PLIVO: &[At] = &[At::Plivo];

const ALWAYS: u32 = 100;
const REFUSED: Disposition = Disposition::CarrierRefused { code: None };

/// Picks up after a second, presses 1 and talks for three.
const ANSWERS: Human = Human::Answers {
    after: Duration::from_secs(1),
    talks_for: Duration::from_secs(3),
    presses: Some('1'),
};
/// The same, and talks until the caller hangs up.
const TALKS_ON: Human = Human::Answers {
    after: Duration::from_secs(1),
    talks_for: Duration::from_secs(1_000),
    presses: Some('1'),
};
/// The same, and talks for longer than anything is waited for.
const TALKS_LONG: Human = Human::Answers {
    after: Duration::from_secs(1),
    talks_for: Duration::from_secs(160),
    presses: Some('1'),
};
/// Presses 1 and is gone.
const GONE_AT_ONCE: Human = Human::Answers {
    after: Duration::from_secs(1),
    talks_for: Duration::from_millis(200),
    presses: Some('1'),
};
const IN_WHISPER: Human = Human::HangsUpInWhisper {
    after: Duration::from_secs(1),
};
const MACHINE: Human = Human::Voicemail {
    after: Duration::from_secs(1),
    speaks_for: Duration::from_secs(20),
};

/// A case in which the human has the caller after one rewrite and one call.
const fn case(fault: &'static str, at: &'static [At], set: fn(&mut Scene)) -> Case {
    Case {
        fault,
        at,
        caller: Caller::OfBot,
        set,
        act: Act::Nothing,
        ends: Ends::Human,
        disposition: Disposition::Bridged,
        rewrites: 1,
        phones: 1,
        ticket: "",
    }
}

impl Case {
    /// The caller talks to us.
    const fn ours(self) -> Self {
        Self {
            caller: Caller::Ours,
            ..self
        }
    }

    const fn act(self, act: Act) -> Self {
        Self { act, ..self }
    }

    const fn ends(self, ends: Ends, disposition: Disposition) -> Self {
        Self {
            ends,
            disposition,
            ..self
        }
    }

    const fn rewrites(self, rewrites: usize) -> Self {
        Self { rewrites, ..self }
    }

    const fn phones(self, phones: usize) -> Self {
        Self { phones, ..self }
    }

    const fn ticket(self, ticket: &'static str) -> Self {
        Self { ticket, ..self }
    }

    /// Nobody has the caller but the bot, whom no phone was called for.
    const fn bot(self, disposition: Disposition) -> Self {
        self.ends(Ends::Bot, disposition).phones(0)
    }

    const fn promise(self, disposition: Disposition) -> Self {
        self.ends(Ends::Promise, disposition)
            .ticket("The caller was told that somebody calls back.")
    }

    const fn gone(self) -> Self {
        self.ends(Ends::Gone, Disposition::CallerHungUp)
    }
}

fn asks_for_rewrite(event: &CarrierEvent) -> bool {
    matches!(event, CarrierEvent::RestRequested { method, .. } if method == "POST")
}

fn whispers(event: &CarrierEvent) -> bool {
    matches!(event, CarrierEvent::SpokenToHuman { .. })
}

fn waits(event: &CarrierEvent) -> bool {
    matches!(event, CarrierEvent::ConferenceEntered { .. })
}

fn asks_for_message(event: &CarrierEvent) -> bool {
    matches!(event, CarrierEvent::SpokenToCaller { text } if text.contains("leave a message"))
}

fn fetches_rewrite(event: &CarrierEvent) -> bool {
    matches!(
        event,
        CarrierEvent::WebhookPosted {
            purpose: Purpose::Rewrite,
            ..
        }
    )
}

const THROTTLED: FaultKind = FaultKind::TooManyRequests { retry_after: None };

/// The rewrite meets a carrier on a bad day.
const REWRITES: &[Case] = &[
    case("nothing goes wrong", BOTH, |_| {}),
    case("429 with Retry-After", BOTH, |scene| {
        let retry_after = Some(1);
        scene.rewrites_meet(FaultKind::TooManyRequests { retry_after }, 1);
    })
    .rewrites(2),
    case("429 without Retry-After", BOTH, |scene| {
        scene.rewrites_meet(THROTTLED, 1);
    })
    .rewrites(2),
    case("429 for ever", BOTH, |scene| {
        scene.rewrites_meet(THROTTLED, ALWAYS);
    })
    .bot(REFUSED)
    .rewrites(4),
    case("429 for ever, we are the line", BOTH, |scene| {
        scene.rewrites_meet(THROTTLED, ALWAYS);
    })
    .ours()
    .ends(Ends::Human, REFUSED)
    .rewrites(4),
    case("500 before acting", BOTH, |scene| {
        scene.rewrites_meet(FaultKind::ServerError(500), 1);
    })
    .rewrites(2),
    case("503 before acting", BOTH, |scene| {
        scene.rewrites_meet(FaultKind::ServerError(503), 1);
    })
    .rewrites(2),
    case("500 for ever", BOTH, |scene| {
        scene.handoff("attempts = 2");
        scene.rewrites_meet(FaultKind::ServerError(500), ALWAYS);
    })
    .bot(REFUSED)
    .rewrites(2),
    case("time-out after acting", BOTH, |scene| {
        scene.timeout("600ms");
        scene.rewrites_meet(FaultKind::HangAfterActing, 1);
    }),
    case("cut after acting", BOTH, |scene| {
        scene.rewrites_meet(FaultKind::CutAfterActing, 1);
    }),
    case("cut after acting, we are the line", BOTH, |scene| {
        scene.rewrites_meet(FaultKind::CutAfterActing, 1);
    })
    .ours(),
    case("cut before acting", BOTH, |scene| {
        scene.rewrites_meet(FaultKind::CutBeforeActing, 1);
    })
    .rewrites(2),
    case("an answer that comes late", BOTH, |scene| {
        scene.timeout("3s");
        scene.rewrites_meet(FaultKind::Delay(Duration::from_millis(700)), 1);
    }),
    case("202 without acting", PLIVO, |scene| {
        scene.rewrites_meet(FaultKind::AcceptWithoutActing, 1);
    })
    .rewrites(2),
    case("202 without acting, for ever", PLIVO, |scene| {
        scene.rewrites_meet(FaultKind::AcceptWithoutActing, ALWAYS);
    })
    .bot(REFUSED)
    .rewrites(2),
    case("202 without acting, we are the line", PLIVO, |scene| {
        scene.rewrites_meet(FaultKind::AcceptWithoutActing, 1);
        scene.human(TALKS_LONG);
    })
    .ours()
    .ends(Ends::Human, REFUSED),
    case("document fetched when the stream ends", PLIVO, |scene| {
        scene.fetched_when_the_stream_ends();
    })
    .ours(),
    case(
        "fetched when the stream ends, cut after acting",
        PLIVO,
        |scene| {
            scene.fetched_when_the_stream_ends();
            scene.rewrites_meet(FaultKind::CutAfterActing, 1);
        },
    )
    .ours()
    .rewrites(2),
    case("400 for another reason", TWILIO, |scene| {
        scene.rewrites_meet(FaultKind::ServerError(400), 1);
    })
    .bot(Disposition::CarrierRefused { code: Some(20500) }),
    case("400 for another reason", PLIVO, |scene| {
        scene.rewrites_meet(FaultKind::ServerError(400), 1);
    })
    .bot(REFUSED),
    case("400 for another reason, we are the line", TWILIO, |scene| {
        scene.rewrites_meet(FaultKind::ServerError(400), 1);
    })
    .ours()
    .ends(
        Ends::Human,
        Disposition::CarrierRefused { code: Some(20500) },
    ),
    case("404: wrong account or region", TWILIO, |scene| {
        scene.rewrites_meet(FaultKind::ServerError(404), 1);
    })
    .bot(Disposition::CarrierRefused { code: Some(20500) }),
    case("404 though the caller is there", PLIVO, |scene| {
        scene.rewrites_meet(FaultKind::ServerError(404), 1);
    })
    .rewrites(2),
    case("400/21220 or 404: the caller is gone", BOTH, |scene| {
        scene.rest_delay(Duration::from_millis(500)).end_untold();
    })
    .act(Act::HangUpAt(asks_for_rewrite))
    .bot(Disposition::CallerHungUp),
];

/// The carrier tells and asks in its own way.
const CALLBACKS: &[Case] = &[
    case("the call is announced twice", BOTH, |scene| {
        scene.asked_twice();
    }),
    case(
        "the call is announced twice, we are the line",
        BOTH,
        |scene| {
            scene.asked_twice();
        },
    )
    .ours(),
    case("every callback comes twice", BOTH, |scene| {
        scene.told_twice();
    }),
    case("every callback comes twice, second target", BOTH, |scene| {
        scene.told_twice().human(IN_WHISPER).then(ANSWERS, "");
    })
    .phones(2),
    case(
        "every callback comes twice, nobody answers",
        BOTH,
        |scene| {
            scene.told_twice().human(Human::NoAnswer);
        },
    )
    .promise(Disposition::NoAnswer),
    case("every callback comes twice, a message", BOTH, |scene| {
        scene.told_twice().human(Human::Busy);
        scene.handoff("last_resort = \"voicemail\"");
    })
    .ends(Ends::Voicemail, Disposition::Voicemail)
    .ticket("Message of 3 s: https://"),
    case("callbacks out of order", BOTH, |scene| {
        scene.told_in_disorder();
    }),
    case("callbacks out of order, second target", BOTH, |scene| {
        scene.told_in_disorder().human(MACHINE).then(ANSWERS, "");
    })
    .phones(2),
    case(
        "callbacks out of order and twice, nobody answers",
        BOTH,
        |scene| {
            scene.told_in_disorder().told_twice();
            scene.human(Human::NoAnswer);
        },
    )
    .promise(Disposition::NoAnswer),
];

/// One human who does not take the call.
const HUMANS: &[Case] = &[
    case("hangs up during the whisper", BOTH, |scene| {
        scene.human(IN_WHISPER);
    })
    .promise(Disposition::NotAccepted),
    case("a voicemail answers and presses nothing", BOTH, |scene| {
        scene.human(MACHINE);
    })
    .promise(Disposition::NotAccepted),
    case("rejects the call", TWILIO, |scene| {
        scene.human(Human::Rejects);
    })
    .promise(Disposition::Busy),
    case("rejects the call", PLIVO, |scene| {
        scene.human(Human::Rejects);
    })
    .promise(Disposition::Rejected),
    case("busy", BOTH, |scene| {
        scene.human(Human::Busy);
    })
    .promise(Disposition::Busy),
    case("cannot be reached", BOTH, |scene| {
        scene.human(Human::Unreachable);
    })
    .promise(REFUSED),
    case("does not answer", BOTH, |scene| {
        scene.human(Human::NoAnswer);
    })
    .promise(Disposition::NoAnswer),
    case("hangs up as soon as it has the caller", BOTH, |scene| {
        scene.human(GONE_AT_ONCE).bridged_after("5s");
    })
    .promise(Disposition::NotAccepted),
    case("does not answer: a message", BOTH, |scene| {
        scene.human(Human::NoAnswer);
        scene.handoff("last_resort = \"voicemail\"");
    })
    .ends(Ends::Voicemail, Disposition::Voicemail)
    .ticket("Message of 3 s: https://"),
];

/// The first of two fails.
const TWO: &[Case] = &[
    case("first hangs up during the whisper", BOTH, |scene| {
        scene.human(IN_WHISPER).then(ANSWERS, "");
    })
    .phones(2),
    case("first is a voicemail", BOTH, |scene| {
        scene.human(MACHINE).then(ANSWERS, "");
    })
    .phones(2),
    case("first rejects", BOTH, |scene| {
        scene.human(Human::Rejects).then(ANSWERS, "");
    })
    .phones(2),
    case("first is busy", BOTH, |scene| {
        scene.human(Human::Busy).then(ANSWERS, "");
    })
    .phones(2),
    case("first cannot be reached", BOTH, |scene| {
        scene.human(Human::Unreachable).then(ANSWERS, "");
    })
    .phones(2),
    case("first does not answer", BOTH, |scene| {
        scene.human(Human::NoAnswer).then(ANSWERS, "");
    })
    .phones(2),
    case(
        "first hangs up as soon as it has the caller",
        BOTH,
        |scene| {
            scene.human(GONE_AT_ONCE).then(TALKS_LONG, "");
            scene.bridged_after("1s");
        },
    )
    .phones(2),
    case("both do not answer", BOTH, |scene| {
        scene.human(Human::NoAnswer).then(Human::NoAnswer, "");
    })
    .promise(Disposition::NoAnswer)
    .phones(2),
    case(
        "first is busy, second is a voicemail: a message",
        BOTH,
        |scene| {
            scene.human(Human::Busy).then(MACHINE, "");
            scene.handoff("last_resort = \"voicemail\"");
        },
    )
    .ends(Ends::Voicemail, Disposition::Voicemail)
    .ticket("Message of 3 s: https://")
    .phones(2),
    case("first is closed", BOTH, |scene| {
        scene.target("hours = \"off\"\ntime_zone = \"UTC\"");
        scene.then(ANSWERS, "");
    }),
    case("first has a holiday", BOTH, |scene| {
        let holidays = holidays();
        scene.target("hours = \"24/7\"\ntime_zone = \"UTC\"");
        scene.target(&format!("closed = {holidays}"));
        scene.then(ANSWERS, "");
    }),
    case("both are closed", BOTH, |scene| {
        scene.target("hours = \"off\"\ntime_zone = \"UTC\"");
        scene.then(ANSWERS, "hours = \"off\"\ntime_zone = \"UTC\"");
    })
    .promise(Disposition::NobodyAvailable)
    .phones(0),
    case("closed: a message", BOTH, |scene| {
        scene.target("hours = \"off\"\ntime_zone = \"UTC\"");
        scene.handoff("last_resort = \"voicemail\"");
    })
    .ends(Ends::Voicemail, Disposition::Voicemail)
    .ticket("Message of 3 s: https://")
    .phones(0),
    case("first is told to be away", BOTH, |scene| {
        scene.then(ANSWERS, "");
    })
    .act(Act::FirstIsAway),
];

/// Yesterday, today and tomorrow, so that midnight does not matter.
fn holidays() -> String {
    let today = time::OffsetDateTime::now_utc().date();
    let days = [today.previous_day(), Some(today), today.next_day()];
    let days = days.into_iter().flatten().map(|day| format!("\"{day}\""));
    format!("[{}]", days.collect::<Vec<_>>().join(", "))
}

/// The caller hangs up.
const CALLERS: &[Case] = &[
    case("hangs up before the rewrite is answered", BOTH, |scene| {
        scene.rest_delay(Duration::from_millis(500));
    })
    .act(Act::HangUpAt(asks_for_rewrite))
    .bot(Disposition::CallerHungUp),
    case("hangs up while the document is fetched", PLIVO, |_| {})
        .act(Act::HangUpAt(fetches_rewrite))
        .gone()
        .phones(0),
    case("hangs up while the only phone rings", BOTH, |scene| {
        scene.target("ring = \"60s\"").human(Human::NoAnswer);
    })
    .act(Act::HangUpAt(rings))
    .gone(),
    case("hangs up while the phone rings", BOTH, |scene| {
        scene.target("ring = \"60s\"");
        scene.human(Human::NoAnswer).then(ANSWERS, "");
    })
    .act(Act::HangUpAt(rings))
    .gone(),
    case(
        "hangs up during the whisper of the last human",
        TWILIO,
        |_| {},
    )
    .act(Act::HangUpAt(whispers))
    .gone(),
    case("hangs up during the whisper", BOTH, |scene| {
        scene.then(ANSWERS, "");
    })
    .act(Act::HangUpAt(whispers))
    .gone(),
    // Plivo does not say who hung up, so that there it may be taken for the human's doing.
    case("hangs up as soon as the human has them", TWILIO, |scene| {
        scene.human(TALKS_ON).bridged_after("5s");
    })
    .act(Act::HangUpAt(bridged))
    .ends(Ends::Human, Disposition::CallerHungUp),
    case("hangs up during the talk", BOTH, |scene| {
        scene.human(TALKS_ON);
    })
    .act(Act::HangUpOnceTold("caller and human talk"))
    .ticket("Caller and human were parted after"),
    case("hangs up when asked for a message", BOTH, |scene| {
        scene.human(Human::Busy);
        scene.handoff("last_resort = \"voicemail\"");
    })
    .act(Act::HangUpAt(asks_for_message))
    .ends(Ends::Voicemail, Disposition::Busy),
];

/// More than one wish for a human.
const WISHES: &[Case] = &[
    case("two requests at once, and a rule later", BOTH, |scene| {
        scene.rest_delay(Duration::from_millis(200));
    })
    .act(Act::AskAt(streams, 2)),
    case("a rule, and three requests meanwhile", BOTH, |scene| {
        scene.rest_delay(Duration::from_millis(200));
    })
    .act(Act::AskAt(asks_for_rewrite, 3)),
    case(
        "a rule, and two requests while the phone rings",
        BOTH,
        |scene| {
            scene.human(Human::NoAnswer).then(ANSWERS, "");
        },
    )
    .act(Act::AskAt(rings, 2))
    .phones(2),
];

/// The caller waits in a conference for a human who is called.
const CONFERENCES: &[Case] = &[
    case("conference: nothing goes wrong", BOTH, |scene| {
        scene.conference();
    }),
    case(
        "conference: nothing goes wrong, we are the line",
        BOTH,
        |scene| {
            scene.conference();
        },
    )
    .ours(),
    case("conference: does not answer", BOTH, |scene| {
        scene.conference().human(Human::NoAnswer);
    })
    .promise(Disposition::NoAnswer)
    .rewrites(2),
    case("conference: a voicemail, then the second", BOTH, |scene| {
        scene.conference().human(MACHINE).then(ANSWERS, "");
    })
    .rewrites(2)
    .phones(2),
    case("conference: hangs up during the whisper", BOTH, |scene| {
        scene.conference().human(IN_WHISPER);
    })
    .promise(Disposition::NotAccepted)
    .rewrites(2),
    case("conference: busy, then the second", BOTH, |scene| {
        scene.conference().human(Human::Busy).then(ANSWERS, "");
    })
    .rewrites(2)
    .phones(2),
    case("conference: cannot be reached: a message", BOTH, |scene| {
        scene.conference().human(Human::Unreachable);
        scene.handoff("last_resort = \"voicemail\"");
    })
    .ends(Ends::Voicemail, Disposition::Voicemail)
    .rewrites(2),
    case("conference: 429 for the human's call", BOTH, |scene| {
        scene.conference().creations_meet(THROTTLED, 1);
    }),
    case("conference: 429 for ever", BOTH, |scene| {
        scene.conference().creations_meet(THROTTLED, ALWAYS);
    })
    .promise(REFUSED)
    .rewrites(2)
    .phones(0),
    case("conference: 500 for the human's call", BOTH, |scene| {
        let kind = FaultKind::ServerError(500);
        scene.conference().creations_meet(kind, 1).then(ANSWERS, "");
    })
    .rewrites(2),
    case(
        "conference: time-out after the human is called",
        BOTH,
        |scene| {
            scene.timeout("600ms").conference();
            scene.creations_meet(FaultKind::HangAfterActing, 1);
        },
    ),
    case("conference: cut after the human is called", BOTH, |scene| {
        scene.conference();
        scene.creations_meet(FaultKind::CutAfterActing, 1);
    }),
    case("conference: every callback comes twice", BOTH, |scene| {
        scene.told_twice().conference();
    }),
    case("conference: callbacks out of order", BOTH, |scene| {
        scene.told_in_disorder().conference();
    }),
    case(
        "conference: the caller hangs up while waiting",
        BOTH,
        |scene| {
            scene.conference().human(Human::NoAnswer);
            scene.target("ring = \"60s\"");
        },
    )
    .act(Act::HangUpAt(waits))
    .gone(),
    case(
        "conference: the caller hangs up while it rings",
        BOTH,
        |scene| {
            scene.conference().human(Human::NoAnswer);
            scene.target("ring = \"60s\"");
        },
    )
    .act(Act::HangUpOnceTold("phone rings"))
    .gone(),
    case(
        "conference: the caller hangs up during the whisper",
        BOTH,
        |scene| {
            scene.conference();
        },
    )
    .act(Act::HangUpOnceTold("human answered"))
    .gone(),
    case("conference: the human need press nothing", BOTH, |scene| {
        scene.conference().target("accept = \"answer\"");
        scene.then(ANSWERS, "");
    }),
    case(
        "conference: the way out of it is refused once",
        BOTH,
        |scene| {
            scene.conference().human(Human::Busy).then(ANSWERS, "");
            scene.rewrites_meet(FaultKind::Delay(Duration::from_millis(1)), 1);
            scene.rewrites_meet(FaultKind::ServerError(400), 1);
        },
    )
    .rewrites(3)
    .phones(2),
    case(
        "conference: the caller hangs up before a busy carrier calls",
        BOTH,
        |scene| {
            let kind = FaultKind::TooManyRequests {
                retry_after: Some(3),
            };
            scene.conference().creations_meet(kind, 1);
        },
    )
    .act(Act::HangUpAt(waits))
    .gone()
    .phones(0),
    case(
        "conference: the caller hangs up on a call that nobody named",
        BOTH,
        |scene| {
            scene.timeout("600ms").conference().human(Human::NoAnswer);
            scene.target("ring = \"60s\"");
            scene.creations_meet(FaultKind::CutAfterActing, 1);
        },
    )
    .act(Act::HangUpOnceTold("phone rings"))
    .gone(),
];

const GROUPS: [&[Case]; 7] = [
    REWRITES,
    CALLBACKS,
    HUMANS,
    TWO,
    CALLERS,
    WISHES,
    CONFERENCES,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_twilio_nobody_is_lost() {
    play(At::Twilio).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_plivo_nobody_is_lost() {
    play(At::Plivo).await;
}

/// Plays every case at a carrier, as many at once as there are places. `FAULT=words` in the environment
/// leaves those with these words in their name.
async fn play(at: At) {
    let words = std::env::var("FAULT").unwrap_or_default();
    let cases = GROUPS.into_iter().flatten();
    let cases: Vec<&'static Case> = cases
        .filter(|case| case.at.contains(&at) && case.fault.contains(&words))
        .collect();
    let places = LocalSet::new();
    let playing = cases.iter().map(|case| places.spawn_local(case.play(at)));
    let playing: Vec<_> = playing.collect();
    let wrong = places.run_until(async {
        let mut wrong = Vec::new();
        for (case, playing) in cases.iter().zip(playing) {
            let mistakes = match playing.await {
                Ok((line, mistakes)) => {
                    println!("{line}");
                    mistakes
                }
                Err(panicked) => vec![panicked.to_string()],
            };
            let told = |mistake| format!("{}: {mistake}", case.fault);
            wrong.extend(mistakes.into_iter().map(told));
        }
        wrong
    });
    let wrong = wrong.await;
    println!("fault table: {} cases at {}", cases.len(), at.name());
    assert!(
        wrong.is_empty(),
        "not as the table says:\n{}",
        wrong.join("\n")
    );
}
