//! Every kind of target at every carrier that has it: a recorded call goes to one, and its human takes it.
//!
//! What is particular about a kind is asserted where the carrier shows it: in the INVITE, in the queue, in
//! what the human and the caller hear.

use std::time::Duration;

use handoff_core::call::{Disposition, Fact};
use handoff_simulator::carrier::twilio::PlacedCall;
use handoff_simulator::carrier::{CarrierEvent, Human, LegStatus};
use serde_json::Value;

use super::stage::{
    Books, PLIVO_ACCOUNT, PLIVO_TOKEN, PUBLIC_URL, Setup, Stage, bridged, count, rings,
};
use super::story::only_ticket;

#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Twilio,
    Plivo,
}

const DESK: &str = "+15550100077";
const PBX: &str = "sip:sales@pbx.example.com";
const MUSIC: &str = "https://cdn.example.com/hold.mp3";
const WORKFLOW: &str = "WW00000000000000000000000000000001";
/// What the recorded caller said when they were handed over, and how what the voice agent said around then
/// begins, which may be heard halfway.
const WHY: &str = "I would much rather speak to a human please";
const TRIED: [&str; 2] = ["Okay, you would like to order a lamp.", "I am"];
const PRESS: &str = "Press 1 to take the call.";

/// The recorded call of somebody who asks for a human, handed to one target and nobody else.
fn one(at: At, target: &str) -> Setup {
    several(at, &[target])
}

/// The same to several, in this order. Each is the name of a target and its settings, a line each.
fn several(at: At, targets: &[&str]) -> Setup {
    let mut setup = match at {
        At::Twilio => Setup::of("asks-for-human"),
        At::Plivo => Setup::at_plivo("asks-for-human"),
    };
    let mut names = Vec::new();
    for target in targets {
        let (name, settings) = target.split_once('\n').unwrap_or((target, ""));
        names.push(format!("\"{name}\""));
        if !settings.is_empty() {
            let section = format!("[[target]]\nname = \"{name}\"\n{settings}\n");
            setup.config.push_str(&section);
        }
    }
    let names = names.join(", ");
    let route = format!("[[route]]\nname = \"all\"\nwhen = \"true\"\ntargets = [{names}]\n");
    setup.config.push_str(&route);
    setup
}

/// What the human at an address does.
fn human(setup: &mut Setup, address: &str, human: Human) {
    match &mut setup.plivo {
        Some(plivo) => {
            let address = address.trim_start_matches('+').to_owned();
            plivo.humans.insert(address, human);
        }
        None => {
            setup.carrier.humans.insert(address.to_owned(), human);
        }
    }
}

/// A human who takes the caller after so many seconds of the carrier's time.
fn takes_after(seconds: u64) -> Human {
    Human::Answers {
        after: Duration::from_secs(seconds),
        talks_for: Duration::from_secs(3),
        presses: Some('1'),
    }
}

/// What a played call left behind.
struct Played {
    call: PlacedCall,
    /// Of all calls at the carrier.
    events: Vec<CarrierEvent>,
    /// The last note of the one ticket.
    note: String,
    books: Books,
}

/// Plays the call to its end. A human took it, whatever the kind.
async fn taken(setup: Setup) -> Played {
    let played = play(setup).await;
    assert_eq!(played.disposition().await, Disposition::Bridged);
    played
}

async fn play(setup: Setup) -> Played {
    let stage = Stage::set(setup).await;
    let call = stage.dial();
    stage.ended(&call).await;
    stage.idle().await;
    stage.undelivered(0).await;
    let events = stage.seen();
    let ticket = only_ticket(&stage);
    let note = ticket.comments.last().expect("a note").body.clone();
    let books = stage.finish().await;
    Played {
        call,
        events,
        note: note.as_str().to_owned(),
        books,
    }
}

impl Played {
    async fn disposition(&self) -> Disposition {
        self.books.disposition(self.call.call_sid()).await
    }

    async fn facts(&self) -> Vec<Fact> {
        let records = self.books.records(self.call.call_sid()).await;
        records.into_iter().map(|record| record.fact).collect()
    }

    async fn handoff(&self) -> String {
        let facts = self.facts().await;
        let handoff = facts.iter().find_map(|fact| match fact {
            Fact::Triggered(trigger) => Some(trigger.handoff.to_string()),
            _ => None,
        });
        handoff.expect("a handoff")
    }

    /// The one phone that was called.
    fn invite(&self) -> Invite {
        let mut invites = self.events.iter().filter_map(|event| match event {
            CarrierEvent::LegInitiated {
                to,
                sip_headers,
                parameters,
                digits,
                ..
            } => Some(Invite {
                to: to.clone(),
                sip_headers: sip_headers.clone(),
                parameters: parameters.clone(),
                digits: digits.clone(),
            }),
            _ => None,
        });
        match (invites.next(), invites.next()) {
            (Some(invite), None) => invite,
            _ => panic!("one phone is called: {:#?}", self.events),
        }
    }

    /// All that the human heard before they had the caller.
    fn whisper(&self) -> String {
        let heard = self.events.iter().filter_map(|event| match event {
            CarrierEvent::SpokenToHuman { text } => Some(text.as_str()),
            _ => None,
        });
        heard.collect::<Vec<_>>().join(" ")
    }

    /// Where the first such event stands among all.
    fn place(&self, what: &str, wanted: impl Fn(&CarrierEvent) -> bool) -> usize {
        let place = self.events.iter().position(wanted);
        place.unwrap_or_else(|| panic!("no {what}: {:#?}", self.events))
    }
}

#[derive(Debug)]
struct Invite {
    to: String,
    sip_headers: Vec<(String, String)>,
    parameters: Vec<(String, String)>,
    digits: Option<String>,
}

impl Invite {
    fn header(&self, name: &str) -> &str {
        let found = (self.sip_headers.iter()).find(|(known, _)| known.eq_ignore_ascii_case(name));
        let (_, value) = found.unwrap_or_else(|| panic!("no {name}: {self:?}"));
        value
    }

    fn parameter(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        let (_, value) = found.unwrap_or_else(|| panic!("no {name}: {self:?}"));
        value
    }
}

/// Who calls, why, and what the voice agent tried.
fn assert_briefed(whisper: &str) {
    assert!(
        whisper.contains("plus 1 5 5 5 0 1 0 0 0 1 1"),
        "who calls: {whisper}"
    );
    assert!(whisper.contains(WHY), "why: {whisper}");
    let tried = |words: &&str| whisper.contains(&format!("The voice agent last said: \"{words}"));
    assert!(TRIED.iter().any(tried), "what was tried: {whisper}");
}

async fn a_number_is_taken_by_key(at: At) {
    let mut setup = one(at, &format!("desk\nnumber = \"{DESK}\""));
    human(&mut setup, DESK, takes_after(1));
    let played = taken(setup).await;
    assert!(
        played.invite().to.ends_with(&DESK[1..]),
        "{:?}",
        played.invite()
    );
    let whisper = played.whisper();
    assert_briefed(&whisper);
    assert!(whisper.contains(PRESS), "{whisper}");
    assert_eq!(count(&played.call, bridged), 1);
}

#[tokio::test]
async fn a_number_at_twilio_is_taken_by_key() {
    a_number_is_taken_by_key(At::Twilio).await;
}

#[tokio::test]
async fn a_number_at_plivo_is_taken_by_key() {
    a_number_is_taken_by_key(At::Plivo).await;
}

/// A human who hears the whisper and presses nothing is none: the next target gets the caller.
async fn a_voicemail_takes_nobody(at: At) {
    let first = format!("desk\nnumber = \"{DESK}\"");
    let mut setup = several(at, &[&first, "default"]);
    let machine = Human::Voicemail {
        after: Duration::from_secs(1),
        speaks_for: Duration::from_secs(20),
    };
    human(&mut setup, DESK, machine);
    human(&mut setup, super::stage::TARGET, takes_after(1));
    let played = taken(setup).await;
    assert_eq!(count(&played.call, rings), 2);
    assert_eq!(count(&played.call, bridged), 1);
    let machine = match at {
        At::Twilio => "desk: rang after",
        // Which tells of no ringing.
        At::Plivo => "desk: answered after",
    };
    assert!(played.note.contains(machine), "{}", played.note);
    assert!(
        played.note.contains("answered and not taken"),
        "{}",
        played.note
    );
    let (_, second) = played.note.split_once("default: ").expect("the second");
    assert!(second.contains("taken after"), "{}", played.note);
}

#[tokio::test]
async fn a_voicemail_at_twilio_never_takes_a_call() {
    a_voicemail_takes_nobody(At::Twilio).await;
}

#[tokio::test]
async fn a_voicemail_at_plivo_never_takes_a_call() {
    a_voicemail_takes_nobody(At::Plivo).await;
}

#[tokio::test]
async fn an_extension_at_twilio_is_pressed_when_they_pick_up() {
    let target = format!("desk\nnumber = \"{DESK}\"\nextension = \"wW12#\"");
    let played = taken(one(At::Twilio, &target)).await;
    assert_eq!(played.invite().digits.as_deref(), Some("wW12#"));
}

/// Plivo is known to have the short wait alone.
#[tokio::test]
async fn an_extension_at_plivo_is_pressed_when_they_pick_up() {
    let target = format!("desk\nnumber = \"{DESK}\"\nextension = \"wW12#\"");
    let played = taken(one(At::Plivo, &target)).await;
    assert_eq!(played.invite().digits.as_deref(), Some("www12#"));
}

fn sip(kind: &str, encoding: &str) -> String {
    format!(
        "pbx\nkind = \"{kind}\"\nuri = \"{PBX}\"\n\
         headers = {{ handoffid = \"{{handoff}}\", line = \"support\" }}\n\
         user_to_user = \"{{handoff}}\"\nuser_to_user_encoding = \"{encoding}\""
    )
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_sip_address_at_twilio_gets_headers_and_user_to_user() {
    let mut setup = one(At::Twilio, &sip("sip", "hex"));
    human(&mut setup, PBX, takes_after(1));
    let played = taken(setup).await;
    let (invite, handoff) = (played.invite(), played.handoff().await);
    assert_eq!(invite.to, PBX);
    assert_eq!(invite.header("x-handoffid"), handoff);
    assert_eq!(invite.header("x-line"), "support");
    let expected = format!("{};encoding=hex", hex(&handoff));
    assert_eq!(invite.header("User-to-User"), expected);
    let whisper = played.whisper();
    assert_briefed(&whisper);
    assert!(
        !whisper.contains(PRESS),
        "whoever answers has it: {whisper}"
    );
}

#[tokio::test]
async fn a_sip_address_at_twilio_gets_user_to_user_in_base64() {
    use base64::Engine as _;
    let played = taken(one(At::Twilio, &sip("sip", "base64"))).await;
    let told = played.invite().header("User-to-User").to_owned();
    let (value, encoding) = told.split_once(';').expect("an encoding");
    assert_eq!(encoding, "encoding=base64");
    let value = base64::engine::general_purpose::STANDARD.decode(value);
    let value = String::from_utf8(value.expect("Base64")).expect("a text");
    assert_eq!(value, played.handoff().await);
}

/// Plivo takes letters and digits alone in a header's value.
async fn plivo_gets_headers(kind: &str, uri: &str) -> Played {
    let target = format!(
        "pbx\nkind = \"{kind}\"\nuri = \"{uri}\"\n\
         headers = {{ handoffid = \"{{handoff}}\", line = \"support\" }}"
    );
    let mut setup = one(At::Plivo, &target);
    human(&mut setup, uri, takes_after(1));
    let played = taken(setup).await;
    let invite = played.invite();
    assert_eq!(invite.to, uri);
    let handoff = played.handoff().await.replace('_', "");
    assert_eq!(invite.header("X-PH-handoffid"), handoff);
    assert_eq!(invite.header("X-PH-line"), "support");
    assert_briefed(&played.whisper());
    played
}

#[tokio::test]
async fn a_sip_address_at_plivo_gets_headers() {
    let played = plivo_gets_headers("sip", PBX).await;
    assert!(!played.whisper().contains(PRESS));
}

#[tokio::test]
async fn a_user_at_plivo_gets_headers_and_presses_the_key() {
    let played = plivo_gets_headers("user", "sip:bob@phone.plivo.com").await;
    assert!(played.whisper().contains(PRESS));
}

const REFER: &str = "other-site\nkind = \"refer\"\nuri = \"sip:desk@pbx.example.com\"\n\
                     headers = { handoffid = \"{handoff}\" }\nuser_to_user = \"{handoff}\"";

#[tokio::test]
async fn a_refer_at_twilio_moves_a_caller_from_a_sip_telephone() {
    let mut setup = one(At::Twilio, REFER);
    setup.carrier.caller = Some("sip:ann@office.example.com".to_owned());
    human(&mut setup, "sip:desk@pbx.example.com", takes_after(1));
    let played = taken(setup).await;
    let handoff = played.handoff().await;
    let referred: Vec<_> = (played.events.iter())
        .filter_map(|event| match event {
            CarrierEvent::CallReferred {
                to,
                sip_headers,
                sip_code,
                notified,
            } => Some((to, sip_headers, sip_code, notified)),
            _ => None,
        })
        .collect();
    let [(to, headers, 202, Some(200))] = referred.as_slice() else {
        panic!("{:#?}", played.events);
    };
    assert_eq!(*to, "sip:desk@pbx.example.com");
    let has = |name: &str, value: &str| {
        (headers.iter()).any(|(known, said)| known.eq_ignore_ascii_case(name) && said == value)
    };
    assert!(has("x-handoffid", &handoff), "{headers:?}");
    let hex = format!("{};encoding=hex", hex(&handoff));
    assert!(has("User-to-User", &hex), "{headers:?}");
}

#[tokio::test]
async fn a_refer_at_twilio_passes_over_a_caller_from_a_telephone() {
    let played = taken(several(At::Twilio, &[REFER, "default"])).await;
    let referred = |event: &CarrierEvent| matches!(event, CarrierEvent::CallReferred { .. });
    assert_eq!(count(&played.call, referred), 0);
    assert_eq!(played.invite().to, super::stage::TARGET);
    let facts = played.facts().await;
    let routed = facts.iter().find_map(|fact| match fact {
        Fact::Routed {
            targets,
            passed_over,
            ..
        } => Some((targets.len(), passed_over.len())),
        _ => None,
    });
    assert_eq!(routed, Some((1, 1)), "{facts:?}");
}

/// Whether the caller hears the configured music or words while they wait.
fn hold(event: &CarrierEvent) -> bool {
    match event {
        CarrierEvent::HoldMusic { source } => source == MUSIC || source == "default",
        CarrierEvent::SpokenToCaller { text } => text.contains("Thank you for waiting"),
        _ => false,
    }
}

fn silence(event: &CarrierEvent) -> bool {
    matches!(event, CarrierEvent::HoldSilence)
}

fn with_music(mut setup: Setup) -> Setup {
    let section = format!("[handoff]\nhold_music = \"{MUSIC}\"\n");
    setup.config.push_str(&section);
    setup
}

fn queue_left(event: &CarrierEvent) -> Option<&'static str> {
    match event {
        CarrierEvent::QueueLeft { result, .. } => Some(result),
        _ => None,
    }
}

const QUEUE: &str = "waiting-line\nkind = \"queue\"\nqueue = \"support\"";

#[tokio::test]
async fn a_queue_at_twilio_holds_the_caller_until_a_human_takes_them() {
    let mut setup = with_music(one(At::Twilio, QUEUE));
    human(&mut setup, "queue:support", takes_after(20));
    let played = taken(setup).await;
    let queued = |event: &CarrierEvent| matches!(event, CarrierEvent::QueueEntered { queue, .. } if queue == "support");
    assert_eq!(count(&played.call, queued), 1);
    let left: Vec<_> = played.events.iter().filter_map(queue_left).collect();
    assert_eq!(left, ["bridged"]);
    let music = |event: &CarrierEvent| matches!(event, CarrierEvent::HoldMusic { source } if source == MUSIC);
    let (entered, heard) = (played.place("queue", queued), played.place("music", music));
    assert!(entered < heard && heard < played.place("talk", bridged));
    assert_eq!(count(&played.call, silence), 0);
}

#[tokio::test]
async fn a_queue_at_twilio_is_left_after_its_time_for_the_next_target() {
    let line = format!("{QUEUE}\nring = \"10s\"");
    let mut setup = several(At::Twilio, &[&line, "default"]);
    human(&mut setup, "queue:support", Human::NoAnswer);
    human(&mut setup, super::stage::TARGET, takes_after(1));
    let played = taken(setup).await;
    let left: Vec<_> = played.events.iter().filter_map(queue_left).collect();
    assert_eq!(left, ["leave"]);
    assert!(
        played.events.iter().any(hold),
        "words, as there is no music"
    );
    assert_eq!(count(&played.call, silence), 0);
    assert_eq!(played.invite().to, super::stage::TARGET);
    assert!(
        played.note.contains("waiting-line: no answer"),
        "{}",
        played.note
    );
}

#[tokio::test]
async fn a_workflow_at_twilio_is_told_of_the_call() {
    let target = format!("flex\nkind = \"task_router\"\nworkflow = \"{WORKFLOW}\"\npriority = 5");
    let mut setup = one(At::Twilio, &target);
    human(&mut setup, &format!("workflow:{WORKFLOW}"), takes_after(10));
    let played = taken(setup).await;
    let told = played.events.iter().find_map(|event| match event {
        CarrierEvent::QueueEntered { attributes, .. } => attributes.clone(),
        _ => None,
    });
    let told = told.expect("attributes");
    assert!(told.len() <= 4_096, "{} bytes", told.len());
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["handoff_id"], played.handoff().await);
    assert!(
        told["handoff_summary"]
            .as_str()
            .expect("a text")
            .contains(WHY),
        "{told}"
    );
    let call = told["handoff_call"].as_str().expect("a text");
    let link = format!("{PUBLIC_URL}/api/calls/{call}");
    assert_eq!(told["handoff_link"], link);
    assert_eq!(count(&played.call, silence), 0);
}

#[tokio::test]
async fn a_client_at_twilio_gets_parameters() {
    let target = "ann\nkind = \"client\"\nidentity = \"ann\"\n\
                  parameters = { handoff = \"{handoff}\", summary = \"{summary}\" }";
    let mut setup = one(At::Twilio, target);
    human(&mut setup, "client:ann", takes_after(1));
    let played = taken(setup).await;
    let invite = played.invite();
    assert_eq!(invite.to, "client:ann");
    assert_eq!(invite.parameter("handoff"), played.handoff().await);
    assert!(invite.parameter("summary").contains(WHY), "{invite:?}");
    assert_briefed(&played.whisper());
}

/// A human is briefed while the caller waits with music, presses 1, and only then do they meet.
async fn a_human_is_briefed_first(at: At, kind: &str, music: bool) {
    let target = format!("second-line\nkind = \"{kind}\"\nnumber = \"{DESK}\"");
    let mut setup = one(at, &target);
    if music {
        setup = with_music(setup);
    }
    human(&mut setup, DESK, takes_after(5));
    let played = taken(setup).await;
    assert!(
        played.invite().to.ends_with(&DESK[1..]),
        "{:?}",
        played.invite()
    );
    let whisper = played.whisper();
    assert_briefed(&whisper);
    assert!(whisper.contains(PRESS), "{whisper}");
    let answered = |event: &CarrierEvent| matches!(event, CarrierEvent::LegAnswered { .. });
    let briefed = |event: &CarrierEvent| matches!(event, CarrierEvent::SpokenToHuman { .. });
    let talk = played.place("talk", bridged);
    let order = [
        played.place("answer", answered),
        played.place("whisper", briefed),
        talk,
    ];
    assert!(order.is_sorted(), "{order:?} in {:#?}", played.events);
    assert!(played.place("hold", hold) < talk, "{:#?}", played.events);
    if music {
        let heard = |event: &CarrierEvent| matches!(event, CarrierEvent::HoldMusic { source } if source == MUSIC);
        played.place("the configured music", heard);
    }
    assert!(!played.events.iter().any(silence), "{:#?}", played.events);
    assert_eq!(
        played.events.iter().filter(|event| bridged(event)).count(),
        1
    );
    assert!(played.note.contains("second-line: "), "{}", played.note);
}

#[tokio::test]
async fn a_conference_at_twilio_briefs_the_human_first() {
    a_human_is_briefed_first(At::Twilio, "conference", false).await;
}

#[tokio::test]
async fn a_conference_at_twilio_plays_the_configured_music() {
    a_human_is_briefed_first(At::Twilio, "conference", true).await;
}

#[tokio::test]
async fn a_conference_at_plivo_briefs_the_human_first() {
    a_human_is_briefed_first(At::Plivo, "conference", true).await;
}

#[tokio::test]
async fn a_conference_at_plivo_has_words_where_there_is_no_music() {
    a_human_is_briefed_first(At::Plivo, "conference", false).await;
}

#[tokio::test]
async fn a_multi_party_call_at_plivo_briefs_the_human_first() {
    a_human_is_briefed_first(At::Plivo, "multi_party_call", true).await;
}

/// The caller hangs up while the human's phone rings, which stops at once.
async fn a_phone_stops_ringing(at: At, kind: &str) {
    let target = format!("second-line\nkind = \"{kind}\"\nnumber = \"{DESK}\"\nring = \"600s\"");
    let mut setup = one(at, &target);
    human(&mut setup, DESK, Human::NoAnswer);
    let stage = Stage::set(setup).await;
    let call = stage.dial();
    stage.see_anywhere(rings).await;
    hang_up(&stage, &call).await;
    let stopped = |event: &CarrierEvent| {
        matches!(event, CarrierEvent::LegCompleted { status, bridged: false, .. }
            if *status == LegStatus::Canceled)
    };
    stage.see_anywhere(stopped).await;
    stage.ended(&call).await;
    assert!(!stage.seen().iter().any(bridged));
    let books = stage.finish().await;
    let disposition = books.disposition(call.call_sid()).await;
    assert_eq!(disposition, Disposition::CallerHungUp);
}

/// The caller hangs up, which the stand-in Plivo does over its own API.
async fn hang_up(stage: &Stage, call: &PlacedCall) {
    let Some(plivo) = &stage.plivo else {
        return stage.carrier.hang_up(call).await;
    };
    let url = format!(
        "{}/v1/Account/{PLIVO_ACCOUNT}/Call/{}/",
        plivo.base_url(),
        call.call_sid()
    );
    let request = stage
        .client
        .delete(url)
        .basic_auth(PLIVO_ACCOUNT, Some(PLIVO_TOKEN));
    let answer = request.send().await.expect("the carrier answers");
    assert_eq!(answer.status().as_u16(), 204);
}

#[tokio::test]
async fn a_conference_at_twilio_stops_ringing_when_the_caller_hangs_up() {
    a_phone_stops_ringing(At::Twilio, "conference").await;
}

#[tokio::test]
async fn a_conference_at_plivo_stops_ringing_when_the_caller_hangs_up() {
    a_phone_stops_ringing(At::Plivo, "conference").await;
}

#[tokio::test]
async fn a_multi_party_call_at_plivo_stops_ringing_when_the_caller_hangs_up() {
    a_phone_stops_ringing(At::Plivo, "multi_party_call").await;
}

#[tokio::test]
async fn a_number_at_twilio_stops_ringing_when_the_caller_hangs_up() {
    a_phone_stops_ringing(At::Twilio, "number").await;
}

#[tokio::test]
async fn a_number_at_plivo_stops_ringing_when_the_caller_hangs_up() {
    a_phone_stops_ringing(At::Plivo, "number").await;
}

/// We die and come back while the human's phone rings: the caller hears music all the while, and the human
/// takes the call.
async fn a_conference_outlives_us(at: At) {
    let target =
        format!("second-line\nkind = \"conference\"\nnumber = \"{DESK}\"\nring = \"120s\"");
    let mut setup = with_music(one(at, &target));
    human(&mut setup, DESK, takes_after(90));
    let mut stage = Stage::set(setup).await;
    let call = stage.dial();
    stage.see_anywhere(rings).await;
    stage.see_anywhere(hold).await;
    stage.kill().await;
    stage.start().await;
    stage.ended(&call).await;
    stage.idle().await;
    let events = stage.seen();
    let called = |event: &&CarrierEvent| matches!(event, CarrierEvent::LegInitiated { .. });
    assert_eq!(events.iter().filter(called).count(), 1, "{events:#?}");
    assert_eq!(events.iter().filter(|event| bridged(event)).count(), 1);
    assert!(!events.iter().any(silence), "{events:#?}");
    let books = stage.finish().await;
    let disposition = books.disposition(call.call_sid()).await;
    assert_eq!(disposition, Disposition::Bridged);
}

#[tokio::test]
async fn a_conference_at_twilio_goes_on_while_we_are_away() {
    a_conference_outlives_us(At::Twilio).await;
}

#[tokio::test]
async fn a_conference_at_plivo_goes_on_while_we_are_away() {
    a_conference_outlives_us(At::Plivo).await;
}
