//! Recorded calls from the first webhook to the closed books.

use handoff_core::call::{Disposition, Fact};
use handoff_simulator::carrier::CarrierEvent;
use handoff_simulator::carrier::twilio::PlacedCall;
use handoff_simulator::sinks::slack::Message;
use handoff_simulator::sinks::zendesk::Ticket;

use super::stage::{Setup, Stage, bridged, count, fixture, rewritten, rings};

#[tokio::test]
async fn a_caller_who_asks_for_a_human_gets_one_context_and_all() {
    let stage = Stage::set(Setup::of("asks-for-human")).await;
    let call = stage.place();
    stage.ended(&call).await;
    stage.idle().await;
    stage.undelivered(0).await;

    assert_eq!(count(&call, rings), 1);
    assert_eq!(count(&call, rewritten), 1);
    assert_eq!(count(&call, bridged), 1);
    let ticket = only_ticket(&stage);
    let thread = only_thread(&stage);
    let note = ticket.comments[0].body.as_str();
    let decisive = "I would much rather speak to a human please.";
    assert!(
        note.contains(&format!("{decisive} [decided the handoff]")),
        "{note}"
    );
    assert!(
        thread.contains(&format!("{decisive} [decided the handoff]")),
        "{thread}"
    );
    assert!(ticket.comments.iter().all(|comment| !comment.public));
    let attached = last_attachment(&stage, &ticket);
    for said in spoken("asks-for-human") {
        assert!(attached.contains(&said), "{said:?} is not in {attached}");
        assert!(thread.contains(&said), "{said:?} is not in {thread}");
    }

    let books = stage.finish().await;
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
    let records = books.records(call.call_sid()).await;
    let handoff = records.iter().find_map(|record| match &record.fact {
        Fact::Triggered(trigger) => Some(trigger.handoff.to_string()),
        _ => None,
    });
    assert_eq!(ticket.external_id, handoff);
}

#[tokio::test]
async fn a_caller_whom_nobody_answers_hears_a_sentence_and_the_ticket_says_so() {
    let stage = Stage::set(Setup::of("nobody-answers")).await;
    let call = stage.place();
    stage.ended(&call).await;
    stage.idle().await;
    stage.undelivered(0).await;

    assert_eq!(count(&call, rings), 1);
    assert_eq!(count(&call, bridged), 0);
    let sorry = "nobody can take your call right now";
    assert_eq!(count(&call, |event| heard(event, sorry)), 1);
    let ticket = only_ticket(&stage);
    let last = ticket
        .comments
        .last()
        .expect("a ticket has a note")
        .body
        .as_str();
    assert!(last.contains("Nobody picked up"), "{last}");
    let books = stage.finish().await;
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::NoAnswer
    );
}

#[tokio::test]
async fn a_caller_who_is_content_stays_with_the_bot() {
    let stage = Stage::set(Setup::of("stays-with-bot")).await;
    let call = stage.place();
    stage.ended(&call).await;

    assert_eq!(count(&call, rewritten), 0);
    assert_eq!(
        count(&call, |event| matches!(
            event,
            CarrierEvent::BotVisited { .. }
        )),
        1
    );
    stage.idle().await;
    assert!(stage.zendesk.requests().is_empty());
    assert!(stage.slack.requests().is_empty());
    let books = stage.finish().await;
    assert_eq!(books.triggers(call.call_sid()).await, 0);
    let disposition = books.disposition(call.call_sid()).await;
    assert_eq!(disposition, Disposition::StayedWithVoiceAgent);
}

#[tokio::test]
async fn a_caller_who_presses_zero_gets_a_human() {
    let stage = Stage::set(Setup::of("presses-zero")).await;
    let call = stage.place();
    stage.ended(&call).await;
    stage.idle().await;
    stage.undelivered(0).await;

    assert_eq!(count(&call, rings), 1);
    assert_eq!(count(&call, bridged), 1);
    let note = only_ticket(&stage).comments[0].body.as_str().to_owned();
    assert!(
        note.contains("pressed 0") || note.contains("Keys"),
        "{note}"
    );
    let books = stage.finish().await;
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
}

#[tokio::test]
async fn a_stream_that_is_replaced_on_a_rough_line_goes_on_hearing() {
    let stage = Stage::set(Setup::of("rough-line")).await;
    let call = stage.place();
    stage.ended(&call).await;
    stage.idle().await;
    stage.undelivered(0).await;

    assert_eq!(count(&call, rings), 1);
    let replaced = |event: &CarrierEvent| {
        matches!(
            event,
            CarrierEvent::StreamOpened {
                replacement: true,
                ..
            }
        )
    };
    assert_eq!(count(&call, replaced), 1);
    let attached = last_attachment(&stage, &only_ticket(&stage));
    for said in [
        "My package never arrived and you charged me two times for it.",
        "Let me talk to a real person about it, will you? [decided the handoff]",
    ] {
        assert!(attached.contains(said), "{said:?} is not in {attached}");
    }
    let books = stage.finish().await;
    assert_eq!(
        books.disposition(call.call_sid()).await,
        Disposition::Bridged
    );
    let replacements = (books.records(call.call_sid()).await.iter())
        .filter(|record| {
            matches!(
                record.fact,
                Fact::StreamStarted {
                    replacement: true,
                    ..
                }
            )
        })
        .count();
    assert_eq!(replacements, 1);
}

#[tokio::test]
async fn without_the_rule_nobody_is_rung() {
    let mut setup = Setup::of("asks-for-human");
    setup.config = "[[rule]]\nname = \"caller_asks_for_human\"\nenabled = false\n".to_owned();
    let stage = Stage::set(setup).await;
    let call = stage.place();
    stage.ended(&call).await;
    assert_eq!(count(&call, rewritten), 0);
    let books = stage.finish().await;
    assert_eq!(books.triggers(call.call_sid()).await, 0);
}

/// The one ticket that there is.
pub fn only_ticket(stage: &Stage) -> Ticket {
    let tickets = stage.zendesk.tickets();
    assert_eq!(tickets.len(), 1, "{tickets:#?}");
    tickets[0].clone()
}

/// The one card that there is.
pub fn only_card(stage: &Stage) -> Message {
    let messages = stage.slack.messages();
    let cards: Vec<_> = messages
        .iter()
        .filter(|message| message.thread_ts.is_none())
        .collect();
    assert_eq!(cards.len(), 1, "{cards:#?}");
    cards[0].clone()
}

/// Everything below the one card.
fn only_thread(stage: &Stage) -> String {
    let card = only_card(stage);
    let texts: Vec<_> = (stage.slack.messages().into_iter())
        .filter(|message| message.thread_ts.as_ref() == Some(&card.ts))
        .map(|message| message.text)
        .collect();
    texts.join("\n")
}

fn last_attachment(stage: &Stage, ticket: &Ticket) -> String {
    let uploads = stage.zendesk.uploads();
    let last = (uploads.iter().rev())
        .find(|upload| upload.attached_to == Some(ticket.id))
        .expect("the transcript is attached");
    String::from_utf8(last.bytes.clone()).expect("a transcript is text")
}

/// What the recognizer was sure of, in the order in which it said so.
fn spoken(slug: &str) -> Vec<String> {
    let path = fixture(slug).join("hypotheses.jsonl");
    let text = std::fs::read_to_string(path).expect("the fixture has hypotheses");
    let finals = text.lines().filter_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let message = &line["message"];
        let text = message["channel"]["alternatives"][0]["transcript"].as_str()?;
        (message["is_final"] == true && !text.is_empty()).then(|| text.to_owned())
    });
    finals.collect()
}

/// Whether the caller heard a sentence with these words.
pub fn heard(event: &CarrierEvent, words: &str) -> bool {
    matches!(event, CarrierEvent::SpokenToCaller { text } if text.contains(words))
}

/// Whether the caller ended with the human.
pub fn reached_a_human(call: &PlacedCall) -> bool {
    count(call, bridged) == 1
}
