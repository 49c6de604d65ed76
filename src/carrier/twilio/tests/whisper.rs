use std::time::Duration;

use expect_test::expect_file;

use super::golden::check;
use crate::carrier::argument::{RingSeconds, Spoken, Voice};
use crate::carrier::document::{Acceptance, Document, RoomName};
use crate::carrier::testing::{brief, url};
use crate::carrier::twilio::twiml::{
    Hold, LastResort, QueueHold, Standing, StandingError, Whisper, accepted, conference_accepted,
    conference_whisper, last_resort, leave, not_accepted, queue_wait, whisper,
};
use crate::carrier::twilio::webhook::QueueWait;

fn with_whisper<T>(acceptance: Acceptance, use_it: impl FnOnce(&Whisper<'_>) -> T) -> T {
    let voice = Voice {
        name: None,
        language: Some("en-GB".to_owned()),
    };
    use_it(&Whisper {
        text: &Spoken::new("A caller was charged twice & is angry."),
        prompt: &Spoken::new("Press 1 to take the call."),
        voice: &voice,
        acceptance,
        keyed_url: &url("https://bridge.example.com/twilio/keyed/h1/2?a=1&b=2"),
    })
}

#[test]
fn a_key_is_asked_for_twice_and_then_the_human_is_dropped() {
    let document = with_whisper(Acceptance::Key, whisper);
    check(&document, expect_file!["../golden/whisper_key.xml"]);
    assert_eq!(document.as_str().matches("<Gather").count(), 2);
    assert!(document.as_str().ends_with("</Gather><Hangup/></Response>"));
}

#[test]
fn without_a_key_the_whisper_runs_out_and_the_two_are_joined() {
    let document = with_whisper(Acceptance::Answer, whisper);
    check(&document, expect_file!["../golden/whisper_answer.xml"]);
}

#[test]
fn the_right_key_joins_and_any_other_drops() {
    check(&accepted(), expect_file!["../golden/whisper_accepted.xml"]);
    check(
        &not_accepted(),
        expect_file!["../golden/whisper_not_accepted.xml"],
    );
}

#[test]
fn a_human_joins_a_conference_once_they_took_the_call() {
    let room = RoomName::of(&brief().handoff, 2);
    let asked = with_whisper(Acceptance::Key, |it| conference_whisper(it, &room));
    assert_eq!(asked, with_whisper(Acceptance::Key, whisper));
    let told = with_whisper(Acceptance::Answer, |it| conference_whisper(it, &room));
    check(
        &told,
        expect_file!["../golden/conference_whisper_answer.xml"],
    );
    check(
        &conference_accepted(&room),
        expect_file!["../golden/conference_accepted.xml"],
    );
}

fn wait(waited: Option<u64>, position: Option<u32>) -> QueueWait {
    QueueWait {
        waited: waited.map(Duration::from_secs),
        position,
    }
}

fn music(lasts: u64) -> Hold {
    Hold::Music {
        url: url("https://music.example.com/a.mp3?x=1&y=2"),
        lasts: Duration::from_secs(lasts),
    }
}

fn waiting(wait: &QueueWait, hold: &Hold, longest: u16) -> Document {
    let standing = Standing::parse("You are number {position} in line.").expect("a sentence");
    queue_wait(
        wait,
        &QueueHold {
            standing: Some(&standing),
            hold,
            voice: &Voice::default(),
            longest: RingSeconds::new(longest).expect("a ring time"),
        },
    )
}

#[test]
fn a_caller_in_a_queue_hears_where_they_stand_and_music() {
    check(
        &waiting(&wait(Some(0), Some(2)), &music(10), 300),
        expect_file!["../golden/queue_wait_music.xml"],
    );
    let words = Hold::Words(Spoken::new("Thank you for waiting."));
    check(
        &waiting(&wait(Some(250), Some(1)), &words, 300),
        expect_file!["../golden/queue_wait_words.xml"],
    );
}

#[test]
fn a_wait_lasts_as_long_as_it_may() {
    for (waited, longest, lasts, times) in [
        (0, 600, 10, "3"),
        (0, 600, 7, "5"),
        (0, 600, 20, "2"),
        (0, 600, 45, "1"),
        (0, 600, 0, "30"),
        (575, 600, 10, "2"),
        (595, 600, 10, "1"),
        (0, 25, 10, "2"),
    ] {
        let document = waiting(&wait(Some(waited), None), &music(lasts), longest);
        let attribute = format!("<Play loop=\"{times}\">");
        assert!(
            document.as_str().contains(&attribute),
            "{waited} {lasts}: {}",
            document.as_str()
        );
    }
    for (waited, longest) in [(25, 25), (26, 25), (u64::MAX, 600)] {
        let document = waiting(&wait(Some(waited), Some(1)), &music(10), longest);
        assert_eq!(document, leave(), "{waited}");
    }
    check(&leave(), expect_file!["../golden/queue_leave.xml"]);
}

#[test]
fn a_caller_is_told_where_they_stand_every_half_minute_at_most() {
    for (lasts, longest) in [(1, 600), (7, 100), (10, 25), (20, 65), (29, 45), (45, 300)] {
        let (mut waited, mut told) = (0, Vec::new());
        loop {
            let document = waiting(&wait(Some(waited), Some(1)), &music(lasts), longest);
            if document == leave() {
                break;
            }
            if document.as_str().contains("number 1") {
                told.push(waited);
            }
            let times = document.as_str().split('"').nth(5).unwrap();
            waited += lasts * times.parse::<u64>().unwrap();
        }
        assert_eq!(told.first(), Some(&0));
        assert!(
            told.windows(2).all(|pair| pair[1] - pair[0] >= 30),
            "{lasts} s: {told:?}"
        );
        assert!(
            waited < u64::from(longest) + lasts,
            "{lasts} s: left after {waited}"
        );
    }
}

#[test]
fn a_wait_without_words_on_it_goes_on() {
    let document = waiting(&wait(None, None), &music(10), 25);
    assert!(document.as_str().contains("<Play"));
    assert!(!document.as_str().contains("<Say"));
}

#[test]
fn no_pause_is_longer_than_a_breath() {
    let words = Hold::Words(Spoken::new("Thank you for waiting."));
    for waited in 0..30 {
        let document = waiting(&wait(Some(waited), None), &words, 30);
        let pauses: Vec<u64> = (document.as_str().split("<Pause length=\"").skip(1))
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .collect();
        assert!(
            pauses.iter().all(|&pause| (1..=8).contains(&pause)),
            "{pauses:?}"
        );
        assert_eq!(pauses.iter().sum::<u64>(), 30 - waited);
        assert_eq!(document.as_str().matches("<Say").count(), pauses.len());
    }
}

#[test]
fn a_sentence_says_the_position_once() {
    for bad in [
        "",
        "You are next.",
        "{position} {position}",
        "{pos}",
        "{position} {minutes}",
        "{position}}",
    ] {
        assert_eq!(Standing::parse(bad), Err(StandingError), "{bad}");
    }
}

#[test]
fn the_last_resort_is_a_promise_or_a_recording_and_ends_the_call() {
    let call_back = LastResort::CallBack {
        message: Spoken::new("We will call you back today."),
    };
    check(
        &last_resort(&call_back, &Voice::default()),
        expect_file!["../golden/last_resort_call_back.xml"],
    );
    let voicemail = |longest| LastResort::Voicemail {
        prompt: Spoken::new("Please leave a message after the tone."),
        longest,
        done_url: url("https://bridge.example.com/twilio/recorded/h1?a=1&b=2"),
        status_url: url("https://bridge.example.com/twilio/recording/h1"),
    };
    check(
        &last_resort(&voicemail(Duration::from_secs(120)), &Voice::default()),
        expect_file!["../golden/last_resort_voicemail.xml"],
    );
    for (longest, written) in [
        (Duration::from_millis(300), "maxLength=\"1\""),
        (Duration::from_secs(90_000), "maxLength=\"14400\""),
    ] {
        let document = last_resort(&voicemail(longest), &Voice::default());
        assert!(document.as_str().contains(written), "{}", document.as_str());
    }
}
