use std::time::Duration;

use expect_test::expect_file;

use super::known::{HOSTILE, check, voice};
use crate::carrier::argument::{Spoken, Voice, WebUrl};
use crate::carrier::document::{Acceptance, RoomName};
use crate::carrier::plivo::xml::{
    Hold, LIMIT_BYTES, LastResort, Room, RoomKind, Whisper, last_resort, not_accepted,
    room_accepted, room_whisper, wait, whisper,
};
use crate::carrier::testing::{brief, url};

struct Heard {
    text: Spoken,
    prompt: Spoken,
    voice: Voice,
}

impl Heard {
    fn new(text: &str) -> Self {
        Self {
            text: Spoken::new(text),
            prompt: Spoken::new("Press 1 to take the call."),
            voice: voice(),
        }
    }

    fn whisper(&self, acceptance: Acceptance) -> Whisper<'_> {
        Whisper {
            text: &self.text,
            prompt: &self.prompt,
            voice: &self.voice,
            acceptance,
        }
    }
}

fn heard() -> Heard {
    Heard::new("Ann calls about a late order. She asked for a human.")
}

fn keyed_url() -> WebUrl {
    url("https://bridge.example.com/plivo/keyed/h1/2?a=1&b=2")
}

fn in_room<T>(kind: RoomKind, act: impl FnOnce(&Room<'_>) -> T) -> T {
    act(&Room {
        name: &RoomName::of(&brief().handoff, 2),
        kind,
        leg_url: &url("https://bridge.example.com/plivo/leg/h1/2"),
    })
}

#[test]
fn a_whisper_that_asks_for_a_key_is_said_twice() {
    check(
        &whisper(&heard().whisper(Acceptance::Key)),
        expect_file!["../../golden/whisper_key.xml"],
    );
}

#[test]
fn a_whisper_that_asks_for_nothing_is_said_once() {
    check(
        &whisper(&heard().whisper(Acceptance::Answer)),
        expect_file!["../../golden/whisper_answer.xml"],
    );
}

#[test]
fn a_whisper_holds_nothing_but_what_plivo_plays_there() {
    let document = whisper(&Heard::new(HOSTILE).whisper(Acceptance::Key)).into_string();
    let elements = document.split('<').skip(1).filter_map(|rest| {
        let name = rest.split([' ', '>', '/']).next()?;
        name.starts_with(char::is_alphabetic).then_some(name)
    });
    for name in elements {
        assert!(["Response", "Speak", "Wait"].contains(&name), "{name}");
    }
}

#[test]
fn a_human_who_is_called_to_a_conference_is_asked_twice_and_dropped() {
    let document = in_room(RoomKind::Conference, |room| {
        room_whisper(&heard().whisper(Acceptance::Key), &keyed_url(), room)
    });
    check(&document, expect_file!["../../golden/room_whisper_key.xml"]);
    assert!(document.as_str().ends_with("<Hangup/></Response>"));
    assert!(!document.as_str().contains("<Conference"));
}

#[test]
fn a_human_whose_answer_is_the_acceptance_joins_after_the_whisper() {
    check(
        &in_room(RoomKind::Conference, |room| {
            room_whisper(&heard().whisper(Acceptance::Answer), &keyed_url(), room)
        }),
        expect_file!["../../golden/room_whisper_answer.xml"],
    );
}

#[test]
fn the_right_key_joins_the_human_with_the_caller() {
    check(
        &in_room(RoomKind::Conference, room_accepted),
        expect_file!["../../golden/room_accepted_conference.xml"],
    );
    check(
        &in_room(RoomKind::MultiPartyCall, room_accepted),
        expect_file!["../../golden/room_accepted_multi_party_call.xml"],
    );
}

#[test]
fn any_other_key_ends_the_humans_leg() {
    check(
        &not_accepted(),
        expect_file!["../../golden/not_accepted.xml"],
    );
}

#[test]
fn waiting_sounds_like_music_or_words() {
    let music = Hold::Music(url("https://cdn.example.com/hold.mp3?a=1&b=2"));
    check(
        &wait(&music, &voice()),
        expect_file!["../../golden/wait_music.xml"],
    );
    let words = Hold::Words(Spoken::new("Please hold, a colleague is on their way."));
    let document = wait(&words, &voice());
    check(&document, expect_file!["../../golden/wait_words.xml"]);
    let rounds = document.as_str().matches("<Speak").count();
    assert!(rounds * 8 >= 600, "{rounds} rounds are over before a phone");
}

#[test]
fn a_wait_has_room_for_the_longest_words() {
    let words = Hold::Words(Spoken::new(&"\"".repeat(Spoken::LIMIT_CHARS)));
    let document = wait(&words, &voice());
    assert!(document.as_str().len() < LIMIT_BYTES);
    assert!(document.as_str().matches("<Speak").count() > 1);
    let astral = Hold::Words(Spoken::new(&"\u{1f600}".repeat(Spoken::LIMIT_CHARS)));
    assert!(wait(&astral, &voice()).as_str().len() < LIMIT_BYTES);
}

#[test]
fn the_longest_whispers_are_taken() {
    let longest = Spoken::new(&"\"".repeat(Spoken::LIMIT_CHARS));
    let heard = Heard {
        text: longest.clone(),
        ..heard()
    };
    let key = heard.whisper(Acceptance::Key);
    assert!(whisper(&key).as_str().len() < LIMIT_BYTES);
    let asked = in_room(RoomKind::Conference, |room| {
        room_whisper(&key, &keyed_url(), room)
    });
    assert!(asked.as_str().len() < LIMIT_BYTES);
}

fn voicemail(longest: Duration) -> LastResort {
    LastResort::Voicemail {
        prompt: Spoken::new("Please leave a message after the tone."),
        longest,
        done_url: url("https://bridge.example.com/plivo/voicemail/h1?a=1&b=2"),
        status_url: url("https://bridge.example.com/plivo/recording/h1"),
    }
}

#[test]
fn a_caller_whom_nobody_took_is_promised_a_call_or_leaves_a_message() {
    let promise = LastResort::CallBack {
        message: Spoken::new("We will call you back. Goodbye."),
    };
    check(
        &last_resort(&promise, &voice()),
        expect_file!["../../golden/last_resort_call_back.xml"],
    );
    check(
        &last_resort(&voicemail(Duration::from_secs(120)), &voice()),
        expect_file!["../../golden/last_resort_voicemail.xml"],
    );
}

#[test]
fn recordings_are_as_long_as_plivo_makes_them() {
    for (longest, written) in [(0, "2"), (2, "2"), (3, "3"), (1_000_000, "14400")] {
        let document = last_resort(&voicemail(Duration::from_secs(longest)), &voice());
        let attribute = format!("maxLength=\"{written}\"");
        assert!(document.as_str().contains(&attribute), "{longest}");
    }
}
