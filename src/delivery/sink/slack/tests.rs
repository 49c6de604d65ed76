//! Slack's requests as golden texts, its answers as scripts.

use expect_test::{Expect, expect};
use handoff_core::call::Disposition;
use handoff_core::context::HandoffContext;
use handoff_core::pii::Secret;
use handoff_core::speech::Speaker;

use super::thread::Transcript;
use super::*;
use crate::delivery::outcome::Receipt;
use crate::delivery::sink::content::Growth;
use crate::delivery::sink::testing::{
    ACCEPTED, Worker, context, hostile_context, monster_context, rendered, said,
};
use crate::delivery::sink::{BaseUrl, Sink, content};

const CARD: &str =
    r#"200 {"ok":true,"channel":"C0HANDOFF1","ts":"1767225611.000100","message":{}}"#;
const REPLY: &str = r#"200 {"ok":true,"channel":"C0HANDOFF1","ts":"1767225612.000200"}"#;
const NONE: &str = r#"200 {"ok":true,"messages":[],"has_more":false}"#;
const NO_SCOPE: &str = r#"200 {"ok":false,"error":"missing_scope","needed":"channels:history"}"#;

fn bot_with(limits: SlackLimits) -> Sink {
    Sink::Slack(Slack::new(SlackOptions {
        transport: SlackTransport::Bot {
            base: BaseUrl::parse("https://slack.com/api").unwrap(),
            token: Secret::new("xoxb-1"),
            channel: "C0HANDOFF1".to_owned(),
        },
        limits,
    }))
}

fn bot() -> Sink {
    bot_with(SlackLimits::VENDOR)
}

/// A bot that makes a file of everything longer than one message.
fn filing_bot() -> Sink {
    bot_with(SlackLimits {
        message_characters: 360,
        thread_messages: 2,
        ..SlackLimits::VENDOR
    })
}

fn hook() -> Sink {
    Sink::Slack(Slack::new(SlackOptions {
        transport: SlackTransport::Webhook {
            url: BaseUrl::parse("https://hooks.slack.com/services/T0/B0/x").unwrap(),
        },
        limits: SlackLimits::VENDOR,
    }))
}

fn opened() -> Receipt {
    Receipt {
        external_id: "C0HANDOFF1/1767225611.000100".to_owned(),
        url: None,
        content_sha256: content::sha256(&context()),
        exactly_once: true,
        at: ACCEPTED,
    }
}

fn ended() -> HandoffContext {
    HandoffContext {
        revision: 1,
        disposition: Some(Disposition::NoAnswer),
        ..context()
    }
}

fn grown() -> HandoffContext {
    let mut context = ended();
    context.transcript.push(said(
        Speaker::VoiceAgent,
        20_000,
        "Nobody is free right now.",
    ));
    context
}

fn long() -> HandoffContext {
    let mut context = context();
    for minute in 1..=9 {
        context.transcript.push(said(
            Speaker::Caller,
            minute * 60_000,
            &"Hello? ".repeat(20),
        ));
    }
    context
}

/// A history page with our message of this part.
fn page(part: Option<&str>, ts: &str) -> String {
    let mut payload = serde_json::json!({
        "handoff_id": context().trigger.handoff.as_str(),
        "revision": 0,
    });
    if let Some(part) = part {
        payload["part"] = part.into();
    }
    let page = serde_json::json!({"ok": true, "messages": [
        {"ts": "1.1", "text": "somebody else"},
        {"ts": "1.2", "metadata": {"event_type": "other", "event_payload": payload}},
        {"ts": "1.3", "metadata": {"event_type": "call_handoff", "event_payload": {"handoff_id": "ho_1", "revision": 0}}},
        {"ts": ts, "metadata": {"event_type": "call_handoff", "event_payload": payload}},
    ]});
    format!("200 {page}")
}

fn check_open(context: HandoffContext, script: &str, expected: Expect) {
    expected.assert_eq(&Worker::open(bot(), context).play(script));
}

fn check_update(context: HandoffContext, script: &str, expected: Expect) {
    expected.assert_eq(&Worker::update(bot(), context, opened()).play(script));
}

fn verdicts(worker: &Worker, answers: &[&str]) -> String {
    answers
        .iter()
        .map(|line| format!("{line} -> {}\n", worker.verdict(line)))
        .collect()
}

fn errors(worker: &Worker, codes: &[&str]) -> String {
    codes
        .iter()
        .map(|code| {
            let line = format!(r#"200 {{"ok":false,"error":"{code}"}}"#);
            format!("{code} -> {}\n", worker.verdict(&line))
        })
        .collect()
}

#[test]
fn card_request() {
    expect![[r#"
        POST https://slack.com/api/chat.postMessage
        accept: application/json
        authorization: Bearer xoxb-1
        content-type: application/json; charset=utf-8

        {
          "blocks": [
            {
              "text": {
                "text": "Caller needs a human",
                "type": "plain_text"
              },
              "type": "header"
            },
            {
              "text": {
                "text": "*Summary*\nThe caller's refund never came. They asked for a human.",
                "type": "mrkdwn"
              },
              "type": "section"
            },
            {
              "fields": [
                {
                  "text": "*Reason*\ncaller asks for human",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Caller*\n+15005550006",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Called*\n+15005550001",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Sentiment*\n-0.62, falling 0.30 a minute",
                  "type": "mrkdwn"
                }
              ],
              "type": "section"
            },
            {
              "text": {
                "text": "*What decided it*\n> 00:09, Caller: Get me a human.",
                "type": "mrkdwn"
              },
              "type": "section"
            },
            {
              "elements": [
                {
                  "text": "Handoff `ho_01KDVDNA00ZZZZZZZZZZZZZZZZ` · call `call_01KDVDNA00000G410820G41081` · accepted 2026-01-01 00:00:00 UTC",
                  "type": "mrkdwn"
                }
              ],
              "type": "context"
            }
          ],
          "channel": "C0HANDOFF1",
          "metadata": {
            "event_payload": {
              "handoff_id": "ho_01KDVDNA00ZZZZZZZZZZZZZZZZ",
              "revision": 0
            },
            "event_type": "call_handoff"
          },
          "text": "Handoff ho_01KDVDNA00ZZZZZZZZZZZZZZZZ: caller asks for human, sentiment -0.62, falling 0.30 a minute",
          "unfurl_links": false,
          "unfurl_media": false
        }
    "#]].assert_eq(&rendered(&Worker::open(bot(), context()).request()));
}

#[test]
fn card_request_of_a_hostile_call() {
    expect![[r#"
        POST https://slack.com/api/chat.postMessage
        accept: application/json
        authorization: Bearer xoxb-1
        content-type: application/json; charset=utf-8

        {
          "blocks": [
            {
              "text": {
                "text": "Caller needs a human",
                "type": "plain_text"
              },
              "type": "header"
            },
            {
              "text": {
                "text": "*Summary*\n&lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; \"q\" 'a' {{ticket.id}} ∗b∗ ˍiˍ ˋcˋ ∼s∼ gnp &gt; quote",
                "type": "mrkdwn"
              },
              "type": "section"
            },
            {
              "fields": [
                {
                  "text": "*Reason*\n&lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; \"q\" 'a' {{ticket.id}} ∗b∗ ˍiˍ ˋcˋ ∼s∼ gnp &gt; quote",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Caller*\n&lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; \"q\" 'a' {{ticket.id}} ∗b∗ ˍiˍ ˋcˋ ∼s∼ gnp &gt; quote",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Called*\nnumber withheld",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Sentiment*\n-0.62, falling 0.30 a minute",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Keys*\n∗0#ˋ",
                  "type": "mrkdwn"
                }
              ],
              "type": "section"
            },
            {
              "text": {
                "text": "*What decided it*\n> 00:09, Caller, still being recognized: &lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; \"q\" 'a' {{ticket.id}} ∗b∗ ˍiˍ ˋcˋ ∼s∼ gnp &gt; quote\n> 00:09, keys: ∗0#ˋ",
                "type": "mrkdwn"
              },
              "type": "section"
            },
            {
              "elements": [
                {
                  "text": "Handoff `ho_01KDVDNA00ZZZZZZZZZZZZZZZZ` · call `call_01KDVDNA00000G410820G41081` · accepted 2026-01-01 00:00:00 UTC · Approximate: heard by a phrase spotter, not a transcript of record.",
                  "type": "mrkdwn"
                }
              ],
              "type": "context"
            }
          ],
          "channel": "C0HANDOFF1",
          "metadata": {
            "event_payload": {
              "handoff_id": "ho_01KDVDNA00ZZZZZZZZZZZZZZZZ",
              "revision": 0
            },
            "event_type": "call_handoff"
          },
          "text": "Handoff ho_01KDVDNA00ZZZZZZZZZZZZZZZZ: &lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; \"q\" 'a' {{ticket.id}} ∗b∗ ˍiˍ ˋcˋ ∼s∼ gnp &gt; quote, sentiment -0.62, falling 0.30 a minute",
          "unfurl_links": false,
          "unfurl_media": false
        }
    "#]].assert_eq(&rendered(&Worker::open(bot(), hostile_context()).request()));
}

#[test]
fn transcript_request() {
    let mut worker = Worker::open(bot(), context());
    worker.play(CARD);
    expect![[r#"
        POST https://slack.com/api/chat.postMessage
        accept: application/json
        authorization: Bearer xoxb-1
        content-type: application/json; charset=utf-8

        {
          "channel": "C0HANDOFF1",
          "metadata": {
            "event_payload": {
              "handoff_id": "ho_01KDVDNA00ZZZZZZZZZZZZZZZZ",
              "part": "transcript-1",
              "revision": 0
            },
            "event_type": "call_handoff"
          },
          "text": "*Transcript*\n00:01 *Voice agent* Thanks for calling, how can I help?\n00:04 *Caller* My refund never came.\n00:09 *Caller* Get me a human. [decided the handoff]",
          "thread_ts": "1767225611.000100",
          "unfurl_links": false,
          "unfurl_media": false
        }
    "#]].assert_eq(&rendered(&worker.request()));
}

#[test]
fn transcript_request_of_a_hostile_call() {
    let mut worker = Worker::open(bot(), hostile_context());
    worker.play(CARD);
    expect![[r#"
        POST https://slack.com/api/chat.postMessage
        accept: application/json
        authorization: Bearer xoxb-1
        content-type: application/json; charset=utf-8

        {
          "channel": "C0HANDOFF1",
          "metadata": {
            "event_payload": {
              "handoff_id": "ho_01KDVDNA00ZZZZZZZZZZZZZZZZ",
              "part": "transcript-1",
              "revision": 0
            },
            "event_type": "call_handoff"
          },
          "text": "*Transcript*\n_Approximate: heard by a phrase spotter, not a transcript of record._\n00:01 *Caller ∼* &lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; \"q\" 'a' {{ticket.id}} ∗b∗ ˍiˍ ˋcˋ ∼s∼ gnp &gt; quote\n00:09 *Caller* &lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; \"q\" 'a' {{ticket.id}} ∗b∗ ˍiˍ ˋcˋ ∼s∼ gnp &gt; quote [decided the handoff; still being recognized]",
          "thread_ts": "1767225611.000100",
          "unfurl_links": false,
          "unfurl_media": false
        }
    "#]].assert_eq(&rendered(&worker.request()));
}

#[test]
fn replacement_and_end_requests() {
    let mut worker = Worker::update(bot(), ended(), opened());
    expect![[r#"
        POST https://slack.com/api/chat.update
        accept: application/json
        authorization: Bearer xoxb-1
        content-type: application/json; charset=utf-8

        {
          "blocks": [
            {
              "text": {
                "text": "Call ended",
                "type": "plain_text"
              },
              "type": "header"
            },
            {
              "text": {
                "text": "*Nobody picked up. The caller has not been helped.*",
                "type": "mrkdwn"
              },
              "type": "section"
            },
            {
              "text": {
                "text": "*Summary*\nThe caller's refund never came. They asked for a human.",
                "type": "mrkdwn"
              },
              "type": "section"
            },
            {
              "fields": [
                {
                  "text": "*Reason*\ncaller asks for human",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Caller*\n+15005550006",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Called*\n+15005550001",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Sentiment*\n-0.62, falling 0.30 a minute",
                  "type": "mrkdwn"
                }
              ],
              "type": "section"
            },
            {
              "text": {
                "text": "*What decided it*\n> 00:09, Caller: Get me a human.",
                "type": "mrkdwn"
              },
              "type": "section"
            },
            {
              "elements": [
                {
                  "text": "Handoff `ho_01KDVDNA00ZZZZZZZZZZZZZZZZ` · call `call_01KDVDNA00000G410820G41081` · accepted 2026-01-01 00:00:00 UTC",
                  "type": "mrkdwn"
                }
              ],
              "type": "context"
            }
          ],
          "channel": "C0HANDOFF1",
          "metadata": {
            "event_payload": {
              "handoff_id": "ho_01KDVDNA00ZZZZZZZZZZZZZZZZ",
              "revision": 1
            },
            "event_type": "call_handoff"
          },
          "text": "Handoff ho_01KDVDNA00ZZZZZZZZZZZZZZZZ: caller asks for human, sentiment -0.62, falling 0.30 a minute. Nobody picked up. The caller has not been helped.",
          "ts": "1767225611.000100"
        }
    "#]].assert_eq(&rendered(&worker.request()));
    worker.play(REPLY);
    expect![[r#"
        POST https://slack.com/api/chat.postMessage
        accept: application/json
        authorization: Bearer xoxb-1
        content-type: application/json; charset=utf-8

        {
          "channel": "C0HANDOFF1",
          "metadata": {
            "event_payload": {
              "handoff_id": "ho_01KDVDNA00ZZZZZZZZZZZZZZZZ",
              "part": "end",
              "revision": 1
            },
            "event_type": "call_handoff"
          },
          "text": "*The call has ended.* Nobody picked up. The caller has not been helped.",
          "thread_ts": "1767225611.000100",
          "unfurl_links": false,
          "unfurl_media": false
        }
    "#]]
    .assert_eq(&rendered(&worker.request()));
}

#[test]
fn lookup_requests() {
    let mut worker = Worker::open(bot(), context());
    worker.play("timeout");
    expect![[r#"
        GET https://slack.com/api/conversations.history?channel=C0HANDOFF1&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
        accept: application/json
        authorization: Bearer xoxb-1
    "#]].assert_eq(&rendered(&worker.request()));
    let mut worker = Worker::open(bot(), context());
    worker.play(&format!("{CARD}\ntimeout"));
    expect![[r#"
        GET https://slack.com/api/conversations.replies?channel=C0HANDOFF1&ts=1767225611.000100&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
        accept: application/json
        authorization: Bearer xoxb-1
    "#]].assert_eq(&rendered(&worker.request()));
}

#[test]
fn file_requests() {
    let mut worker = Worker::open(filing_bot(), long());
    worker.play(CARD);
    expect![[r#"
        POST https://slack.com/api/files.getUploadURLExternal
        accept: application/json
        authorization: Bearer xoxb-1
        content-type: application/x-www-form-urlencoded

        filename=transcript.txt&length=1715
    "#]]
    .assert_eq(&rendered(&worker.request()));
    worker.play(r#"200 {"ok":true,"upload_url":"https://files.slack.com/upload/v1/abc?x=1","file_id":"F01"}"#);
    let store = worker.request();
    assert_eq!(store.uri(), "https://files.slack.com/upload/v1/abc?x=1");
    assert!(
        store.headers().get("authorization").is_none(),
        "the URL is the permission"
    );
    assert_eq!(store.body(), &super::super::wording::transcript(&long()));
    worker.play("200 OK - 1234");
    expect![[r#"
        POST https://slack.com/api/files.completeUploadExternal
        accept: application/json
        authorization: Bearer xoxb-1
        content-type: application/x-www-form-urlencoded

        files=%5B%7B%22id%22%3A%22F01%22%2C%22title%22%3A%22transcript.txt%22%7D%5D&channel_id=C0HANDOFF1&thread_ts=1767225611.000100&initial_comment=The%20whole%20transcript
    "#]].assert_eq(&rendered(&worker.request()));
}

#[test]
fn hook_request() {
    expect![[r#"
        POST https://hooks.slack.com/services/T0/B0/x
        accept: application/json
        content-type: application/json; charset=utf-8

        {
          "blocks": [
            {
              "text": {
                "text": "Caller needs a human",
                "type": "plain_text"
              },
              "type": "header"
            },
            {
              "text": {
                "text": "*Summary*\nThe caller's refund never came. They asked for a human.",
                "type": "mrkdwn"
              },
              "type": "section"
            },
            {
              "fields": [
                {
                  "text": "*Reason*\ncaller asks for human",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Caller*\n+15005550006",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Called*\n+15005550001",
                  "type": "mrkdwn"
                },
                {
                  "text": "*Sentiment*\n-0.62, falling 0.30 a minute",
                  "type": "mrkdwn"
                }
              ],
              "type": "section"
            },
            {
              "text": {
                "text": "*What decided it*\n> 00:09, Caller: Get me a human.",
                "type": "mrkdwn"
              },
              "type": "section"
            },
            {
              "elements": [
                {
                  "text": "Handoff `ho_01KDVDNA00ZZZZZZZZZZZZZZZZ` · call `call_01KDVDNA00000G410820G41081` · accepted 2026-01-01 00:00:00 UTC",
                  "type": "mrkdwn"
                }
              ],
              "type": "context"
            },
            {
              "text": {
                "text": "*Transcript*",
                "type": "mrkdwn"
              },
              "type": "section"
            },
            {
              "text": {
                "text": "00:01 *Voice agent* Thanks for calling, how can I help?\n00:04 *Caller* My refund never came.\n00:09 *Caller* Get me a human. [decided the handoff]",
                "type": "mrkdwn"
              },
              "type": "section"
            }
          ],
          "text": "Handoff ho_01KDVDNA00ZZZZZZZZZZZZZZZZ: caller asks for human, sentiment -0.62, falling 0.30 a minute",
          "unfurl_links": false,
          "unfurl_media": false
        }
    "#]].assert_eq(&rendered(&Worker::open(hook(), context()).request()));
}

#[test]
fn a_monster_call_keeps_to_every_limit() {
    for (sink, context) in [
        (bot(), monster_context()),
        (hook(), monster_context()),
        (
            bot(),
            HandoffContext {
                disposition: Some(Disposition::Busy),
                ..monster_context()
            },
        ),
    ] {
        let request = Worker::open(sink, context).request();
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        assert!(body["text"].as_str().unwrap().chars().count() <= 4_000);
        let blocks = body["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50, "{} blocks", blocks.len());
        let mut total = 0;
        for block in blocks {
            let length = |value: &serde_json::Value| {
                value["text"]
                    .as_str()
                    .map_or(0, |text| text.chars().count())
            };
            let text = length(&block["text"]);
            assert!(
                text <= if block["type"] == "header" {
                    150
                } else {
                    3_000
                },
                "{text}"
            );
            let parts: Vec<usize> = ["fields", "elements"]
                .iter()
                .flat_map(|name| block[*name].as_array().into_iter().flatten().map(length))
                .collect();
            assert!(parts.len() <= 10 && parts.iter().all(|part| *part <= 2_000));
            total += text + parts.iter().sum::<usize>();
        }
        assert!(
            total <= SlackLimits::VENDOR.blocks_characters,
            "{total} characters"
        );
        assert!(
            !request.body().windows(2).any(|pair| pair == b"<I"),
            "caller text is escaped"
        );
    }
}

#[test]
fn a_monster_transcript_becomes_a_file_or_the_end_of_it_messages() {
    let (context, limits) = (monster_context(), SlackLimits::VENDOR);
    let Transcript::File(file) = thread::transcript(&context, Growth::Rewritten, limits) else {
        panic!("too long for messages")
    };
    assert!(file.contains(" 0 <I & you>") && file.contains(" 9999 <I & you>"));
    let messages = thread::shortened(&context, Growth::Rewritten, limits);
    assert_eq!(messages.len(), limits.thread_messages);
    assert!(messages[0].contains("the beginning is too long"));
    for message in &messages {
        assert!(message.chars().count() <= limits.message_characters);
        assert!(
            !message.contains("<I") && !message.contains("& "),
            "caller text is escaped"
        );
    }
}

#[test]
fn a_long_utterance_is_split_and_not_cut() {
    let mut context = context();
    let words: Vec<String> = (0..2_000).map(|word| format!("w{word}")).collect();
    context.transcript = vec![said(Speaker::Caller, 0, &words.join(" "))];
    let Transcript::Messages(messages) =
        thread::transcript(&context, Growth::Rewritten, SlackLimits::VENDOR)
    else {
        panic!("fits into messages")
    };
    let all: String = messages
        .iter()
        .map(|message| message.split_once('\n').unwrap().1.replace('\n', ""))
        .collect();
    assert!(all.ends_with(&words.join(" ")));
}

#[test]
fn a_handoff_is_a_card_and_its_thread() {
    check_open(
        context(),
        &format!("{CARD}\n{REPLY}"),
        expect![[r#"
        POST /api/chat.postMessage A
          200 -> continue
        POST /api/chat.postMessage B
          200 -> done C0HANDOFF1/1767225611.000100, exactly once
    "#]],
    );
    let silent = HandoffContext {
        transcript: Vec::new(),
        ..context()
    };
    check_open(
        silent,
        CARD,
        expect![[r#"
        POST /api/chat.postMessage A
          200 -> done C0HANDOFF1/1767225611.000100, exactly once
    "#]],
    );
}

#[test]
fn a_transcript_of_several_messages_is_posted_in_order() {
    let limits = SlackLimits {
        message_characters: 360,
        thread_messages: 99,
        ..SlackLimits::VENDOR
    };
    let mut context = long();
    context.transcript.truncate(6);
    let mut worker = Worker::open(bot_with(limits), context);
    expect![[r#"
        POST /api/chat.postMessage A
          200 -> continue
        POST /api/chat.postMessage B
          200 -> continue
        POST /api/chat.postMessage C
          200 -> continue
        POST /api/chat.postMessage D
          200 -> continue
        POST /api/chat.postMessage E
          200 -> done C0HANDOFF1/1767225611.000100, exactly once
    "#]]
    .assert_eq(&worker.play(&format!(
        "{CARD}\n{REPLY}\n{REPLY}\n{REPLY}\n{REPLY}\n{REPLY}\n{REPLY}"
    )));
}

#[test]
fn a_card_with_open_fate_is_found_and_not_posted_again() {
    check_open(
        context(),
        &format!("timeout\n{}\n{REPLY}", page(None, "1767225611.000100")),
        expect![[r#"
            POST /api/chat.postMessage A
              timeout -> retry: unreachable
            GET /api/conversations.history?channel=C0HANDOFF1&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
              200 -> continue
            POST /api/chat.postMessage B
              200 -> done C0HANDOFF1/1767225611.000100, exactly once
        "#]],
    );
    check_open(
        context(),
        &format!("crash\n{}\n{REPLY}", page(None, "1767225611.000100")),
        expect![[r#"
            POST /api/chat.postMessage A
              crash
            GET /api/conversations.history?channel=C0HANDOFF1&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
              200 -> continue
            POST /api/chat.postMessage B
              200 -> done C0HANDOFF1/1767225611.000100, exactly once
        "#]],
    );
}

#[test]
fn a_card_that_is_not_there_is_posted_again() {
    check_open(
        context(),
        &format!("503\n{NONE}\n{CARD}\n{REPLY}"),
        expect![[r#"
            POST /api/chat.postMessage A
              503 -> retry: broken (503)
            GET /api/conversations.history?channel=C0HANDOFF1&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
              200 -> continue
            POST /api/chat.postMessage A
              200 -> continue
            POST /api/chat.postMessage B
              200 -> done C0HANDOFF1/1767225611.000100, exactly once
        "#]],
    );
}

#[test]
fn a_reply_with_open_fate_is_searched_for_in_its_thread() {
    check_open(
        context(),
        &format!("{CARD}\ntimeout\n{}", page(Some("transcript-1"), "9.9")),
        expect![[r#"
            POST /api/chat.postMessage A
              200 -> continue
            POST /api/chat.postMessage B
              timeout -> retry: unreachable
            GET /api/conversations.replies?channel=C0HANDOFF1&ts=1767225611.000100&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
              200 -> done C0HANDOFF1/1767225611.000100, exactly once
        "#]],
    );
    // The card is in the thread too and must not be taken for the reply.
    check_open(
        context(),
        &format!("{CARD}\ntimeout\n{}\n{REPLY}", page(None, "9.9")),
        expect![[r#"
            POST /api/chat.postMessage A
              200 -> continue
            POST /api/chat.postMessage B
              timeout -> retry: unreachable
            GET /api/conversations.replies?channel=C0HANDOFF1&ts=1767225611.000100&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
              200 -> continue
            POST /api/chat.postMessage B
              200 -> done C0HANDOFF1/1767225611.000100, exactly once
        "#]],
    );
}

#[test]
fn a_search_that_proves_nothing_is_admitted() {
    for answer in [
        NO_SCOPE,
        r#"200 {"ok":false,"error":"channel_not_found"}"#,
        r#"200 {"ok":false,"error":"unknown_method"}"#,
        "404",
        r#"200 {"ok":true,"messages":[],"has_more":true}"#,
    ] {
        let record =
            Worker::open(bot(), context()).play(&format!("timeout\n{answer}\n{CARD}\n{REPLY}"));
        assert!(record.ends_with(", perhaps twice\n"), "{answer}: {record}");
    }
}

#[test]
fn a_search_follows_its_pages_to_an_end() {
    let more = r#"200 {"ok":true,"messages":[],"has_more":true,"response_metadata":{"next_cursor":"bmV4dA=="}}"#;
    check_open(
        context(),
        &format!("timeout\n{more}\n{NONE}"),
        expect![[r#"
            POST /api/chat.postMessage A
              timeout -> retry: unreachable
            GET /api/conversations.history?channel=C0HANDOFF1&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
              200 -> continue
            GET /api/conversations.history?channel=C0HANDOFF1&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100&cursor=bmV4dA%3D%3D
              200 -> continue
            next POST /api/chat.postMessage A
        "#]],
    );
    let endless = [more; 11].join("\n");
    let record =
        Worker::open(bot(), context()).play(&format!("timeout\n{endless}\n{CARD}\n{REPLY}"));
    assert!(record.ends_with(", perhaps twice\n"), "{record}");
}

#[test]
fn a_search_that_fails_for_now_is_made_again() {
    check_open(
        context(),
        &format!("timeout\n429 retry-after=10\n500\n<html>\n{NONE}")
            .replace("<html>", "200 <html>"),
        expect![[r#"
            POST /api/chat.postMessage A
              timeout -> retry: unreachable
            GET /api/conversations.history?channel=C0HANDOFF1&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
              429 retry-after=10 -> retry after 10s: throttled
            GET /api/conversations.history?channel=C0HANDOFF1&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
              500 -> retry: broken (500)
            GET /api/conversations.history?channel=C0HANDOFF1&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
              200 -> retry: unreadable
            GET /api/conversations.history?channel=C0HANDOFF1&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
              200 -> continue
            next POST /api/chat.postMessage A
        "#]],
    );
}

#[test]
fn a_card_with_refused_blocks_is_posted_plain() {
    for code in ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"] {
        let mut worker = Worker::open(bot(), context());
        worker.play(&format!(r#"200 {{"ok":false,"error":"{code}"}}"#));
        let body: serde_json::Value = serde_json::from_slice(worker.request().body()).unwrap();
        assert!(body.get("blocks").is_none());
        assert_eq!(body["metadata"]["event_payload"]["revision"], 0);
        let second = worker.verdict(&format!(r#"200 {{"ok":false,"error":"{code}"}}"#));
        assert_eq!(second, format!("dead: rejected (200 {code})"));
    }
}

#[test]
fn every_answer_to_a_card_has_its_verdict() {
    let mut worker = Worker::open(bot(), context());
    worker.request();
    expect![[r#"
        200 {"ok":true,"channel":"C0HANDOFF1","ts":"1767225611.000100","message":{}} -> continue
        200 {"ok":true} -> retry: unreadable
        200 -> retry: unreadable
        200 <html>login</html> -> retry: unreadable
        200 {"ok":false} -> retry: unreadable
        302 -> dead: rejected (302)
        400 <html> -> dead: rejected (400)
        401 -> disable: unauthorized
        403 -> disable: unauthorized
        404 -> dead: rejected (404)
        408 -> retry: broken (408)
        429 -> retry: throttled
        429 retry-after=30 -> retry after 30s: throttled
        429 retry-after=1 {"ok":false,"error":"ratelimited"} -> retry after 1s: throttled
        500 -> retry: broken (500)
        502 <html> -> retry: broken (502)
        503 retry-after=7 -> retry after 7s: broken (503)
        timeout -> retry: unreachable
        refused -> retry: unreachable
    "#]]
    .assert_eq(&verdicts(
        &worker,
        &[
            CARD,
            r#"200 {"ok":true}"#,
            "200",
            "200 <html>login</html>",
            r#"200 {"ok":false}"#,
            "302",
            "400 <html>",
            "401",
            "403",
            "404",
            "408",
            "429",
            "429 retry-after=30",
            r#"429 retry-after=1 {"ok":false,"error":"ratelimited"}"#,
            "500",
            "502 <html>",
            "503 retry-after=7",
            "timeout",
            "refused",
        ],
    ));
    expect![[r#"
        ratelimited -> retry: throttled
        rate_limited -> retry: throttled
        fatal_error -> retry: broken (200)
        internal_error -> retry: broken (200)
        request_timeout -> retry: broken (200)
        service_unavailable -> retry: broken (200)
        not_authed -> disable: unauthorized
        invalid_auth -> disable: unauthorized
        token_revoked -> disable: unauthorized
        token_expired -> disable: unauthorized
        account_inactive -> disable: unauthorized
        access_denied -> disable: unauthorized
        missing_scope -> disable: rejected (200 missing_scope)
        not_allowed_token_type -> disable: rejected (200 not_allowed_token_type)
        unknown_method -> disable: rejected (200 unknown_method)
        channel_not_found -> disable: rejected (200 channel_not_found)
        not_in_channel -> disable: rejected (200 not_in_channel)
        is_archived -> disable: gone
        restricted_action -> disable: rejected (200 restricted_action)
        msg_too_long -> continue
        msg_blocks_too_long -> continue
        invalid_blocks -> continue
        no_text -> continue
        thread_not_found -> dead: rejected (200 thread_not_found)
        something_new -> dead: rejected (200 something_new)
        free text about +15005550006 -> retry: unreadable
    "#]]
    .assert_eq(&errors(
        &worker,
        &[
            "ratelimited",
            "rate_limited",
            "fatal_error",
            "internal_error",
            "request_timeout",
            "service_unavailable",
            "not_authed",
            "invalid_auth",
            "token_revoked",
            "token_expired",
            "account_inactive",
            "access_denied",
            "missing_scope",
            "not_allowed_token_type",
            "unknown_method",
            "channel_not_found",
            "not_in_channel",
            "is_archived",
            "restricted_action",
            "msg_too_long",
            "msg_blocks_too_long",
            "invalid_blocks",
            "no_text",
            "thread_not_found",
            "something_new",
            "free text about +15005550006",
        ],
    ));
}

#[test]
fn an_update_replaces_the_card_and_says_in_the_thread_how_it_ended() {
    check_update(
        ended(),
        &format!("{CARD}\n{REPLY}"),
        expect![[r#"
        POST /api/chat.update A
          200 -> continue
        POST /api/chat.postMessage B
          200 -> done C0HANDOFF1/1767225611.000100, exactly once
    "#]],
    );
}

#[test]
fn an_update_adds_what_was_said_since() {
    check_update(
        grown(),
        &format!("{CARD}\n{REPLY}\n{REPLY}"),
        expect![[r#"
        POST /api/chat.update A
          200 -> continue
        POST /api/chat.postMessage B
          200 -> continue
        POST /api/chat.postMessage C
          200 -> done C0HANDOFF1/1767225611.000100, exactly once
    "#]],
    );
    let mut worker = Worker::update(bot(), grown(), opened());
    worker.play(&format!("{CARD}\n{REPLY}"));
    let body: serde_json::Value = serde_json::from_slice(worker.request().body()).unwrap();
    assert_eq!(
        body["text"],
        "*Said since*\n00:20 *Voice agent* Nobody is free right now."
    );
    assert_eq!(body["thread_ts"], "1767225611.000100");
}

#[test]
fn an_update_is_repeated_freely_but_its_thread_is_searched() {
    check_update(
        ended(),
        &format!("timeout\ncrash\n{CARD}\ntimeout\n{NONE}\n{REPLY}"),
        expect![[r#"
            POST /api/chat.update A
              timeout -> retry: unreachable
            POST /api/chat.update A
              crash
            POST /api/chat.update A
              200 -> continue
            POST /api/chat.postMessage B
              timeout -> retry: unreachable
            GET /api/conversations.replies?channel=C0HANDOFF1&ts=1767225611.000100&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
              200 -> continue
            POST /api/chat.postMessage B
              200 -> done C0HANDOFF1/1767225611.000100, exactly once
        "#]],
    );
}

#[test]
fn a_card_that_cannot_be_replaced_still_gets_its_thread() {
    let mut worker = Worker::update(bot(), ended(), opened());
    worker.request();
    expect![[r#"
        message_not_found -> continue
        cant_update_message -> continue
        edit_window_closed -> continue
        msg_too_long -> continue
        ratelimited -> retry: throttled
        internal_error -> retry: broken (200)
        token_revoked -> disable: unauthorized
        is_archived -> disable: gone
    "#]]
    .assert_eq(&errors(
        &worker,
        &[
            "message_not_found",
            "cant_update_message",
            "edit_window_closed",
            "msg_too_long",
            "ratelimited",
            "internal_error",
            "token_revoked",
            "is_archived",
        ],
    ));
}

#[test]
fn a_transcript_too_long_for_the_thread_is_a_file() {
    let mut worker = Worker::open(filing_bot(), long());
    expect![[r#"
        POST /api/chat.postMessage A
          200 -> continue
        POST /api/files.getUploadURLExternal B
          200 -> continue
        POST /upload/v1/abc C
          200 OK -> continue
        POST /api/files.completeUploadExternal D
          200 -> done C0HANDOFF1/1767225611.000100, exactly once
    "#]].assert_eq(&worker.play(&format!(
        "{CARD}\n200 {{\"ok\":true,\"upload_url\":\"https://files.slack.com/upload/v1/abc\",\"file_id\":\"F01\"}}\n200 OK\n200 {{\"ok\":true,\"files\":[]}}"
    )));
}

#[test]
fn a_file_that_was_perhaps_shared_is_searched_for() {
    let stored = format!(
        "{CARD}\n200 {{\"ok\":true,\"upload_url\":\"https://files.slack.com/upload/v1/abc\",\"file_id\":\"F01\"}}\n200 OK\ntimeout"
    );
    let there = r#"200 {"ok":true,"messages":[{"ts":"1.1","files":[{"id":"F01"}]}]}"#;
    expect![[r#"
        POST /api/chat.postMessage A
          200 -> continue
        POST /api/files.getUploadURLExternal B
          200 -> continue
        POST /upload/v1/abc C
          200 OK -> continue
        POST /api/files.completeUploadExternal D
          timeout -> retry: unreachable
        GET /api/conversations.replies?channel=C0HANDOFF1&ts=1767225611.000100&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
          200 -> done C0HANDOFF1/1767225611.000100, exactly once
    "#]]
        .assert_eq(&Worker::open(filing_bot(), long()).play(&format!("{stored}\n{there}")));
    expect![[r#"
        POST /api/chat.postMessage A
          200 -> continue
        POST /api/files.getUploadURLExternal B
          200 -> continue
        POST /upload/v1/abc C
          200 OK -> continue
        POST /api/files.completeUploadExternal D
          timeout -> retry: unreachable
        GET /api/conversations.replies?channel=C0HANDOFF1&ts=1767225611.000100&oldest=1767225491.000000&inclusive=true&include_all_metadata=true&limit=100
          200 -> continue
        POST /api/files.completeUploadExternal D
          200 -> done C0HANDOFF1/1767225611.000100, perhaps twice
    "#]].assert_eq(&Worker::open(filing_bot(), long()).play(&format!(
        "{stored}\n{NONE}\n200 {{\"ok\":true,\"files\":[]}}"
    )));
}

#[test]
fn a_file_that_cannot_be_made_leaves_the_end_of_the_transcript_in_the_thread() {
    let reserved =
        r#"200 {"ok":true,"upload_url":"https://files.slack.com/upload/v1/abc","file_id":"F01"}"#;
    for refusal in [
        NO_SCOPE.to_owned(),
        "500\n500\n500".to_owned(),
        format!("{reserved}\n403"),
        format!("{reserved}\n200 OK\n200 {{\"ok\":false,\"error\":\"file_not_found\"}}"),
        // A URL that is not Slack's gets nothing.
        reserved.replace("files.slack.com", "evil.example"),
        reserved.replace("https://files.slack.com", "http://files.slack.com"),
        reserved.replace("files.slack.com", "slack.com.evil.example"),
    ] {
        let mut worker = Worker::open(filing_bot(), long());
        worker.play(&format!("{CARD}\n{refusal}"));
        let request = worker.request();
        assert_eq!(request.uri().host(), Some("slack.com"), "{refusal}");
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        assert!(
            body["text"]
                .as_str()
                .unwrap()
                .contains("the beginning is too long"),
            "{refusal}"
        );
        assert_eq!(body["metadata"]["event_payload"]["part"], "excerpt-1");
        let record = worker.play(&format!("crash\n{NONE}\n{REPLY}\n{REPLY}"));
        assert!(
            record.ends_with("done C0HANDOFF1/1767225611.000100, exactly once\n"),
            "{record}"
        );
    }
}

#[test]
fn progress_of_another_version_is_searched_for_first() {
    let mut worker = Worker::open(bot(), context());
    worker.progress = Some(b"[]".to_vec());
    let record = worker.play(&page(None, "1767225611.000100"));
    assert!(
        record.starts_with("GET /api/conversations.history"),
        "{record}"
    );
}

#[test]
fn an_update_of_nothing_fails() {
    let opened = Receipt {
        external_id: "35436".to_owned(),
        ..opened()
    };
    let mut worker = Worker::update(bot(), ended(), opened);
    assert_eq!(worker.play("200"), "fail: never_opened\n");
}

#[test]
fn every_answer_to_a_webhook_has_its_verdict() {
    let mut worker = Worker::open(hook(), context());
    worker.request();
    expect![[r#"
        200 ok -> done webhook, exactly once
        200 -> retry: unreadable
        200 <html>proxy</html> -> retry: unreadable
        400 invalid_payload -> dead: rejected (400 invalid_payload)
        400 no_text -> dead: rejected (400 no_text)
        403 invalid_token -> disable: unauthorized
        403 action_prohibited -> disable: rejected (403 action_prohibited)
        404 no_active_hooks -> disable: gone
        404 no_service -> disable: gone
        404 no_team -> disable: gone
        404 channel_not_found -> disable: rejected (404 channel_not_found)
        404 <html> -> disable: gone
        410 channel_is_archived -> disable: gone
        410 -> disable: gone
        429 retry-after=30 -> retry after 30s: throttled
        500 rollup_error -> retry: broken (500)
        502 <html> -> retry: broken (502)
        timeout -> retry: unreachable
        refused -> retry: unreachable
    "#]]
    .assert_eq(&verdicts(
        &worker,
        &[
            "200 ok",
            "200",
            "200 <html>proxy</html>",
            "400 invalid_payload",
            "400 no_text",
            "403 invalid_token",
            "403 action_prohibited",
            "404 no_active_hooks",
            "404 no_service",
            "404 no_team",
            "404 channel_not_found",
            "404 <html>",
            "410 channel_is_archived",
            "410",
            "429 retry-after=30",
            "500 rollup_error",
            "502 <html>",
            "timeout",
            "refused",
        ],
    ));
}

#[test]
fn a_webhook_repeats_and_admits_it() {
    let play = |script: &str| Worker::open(hook(), context()).play(script);
    assert!(play("200 ok").ends_with("done webhook, exactly once\n"));
    assert!(play("429\nrefused\n200 ok").ends_with("done webhook, exactly once\n"));
    assert!(play("timeout\n200 ok").ends_with("done webhook, perhaps twice\n"));
    assert!(play("crash\n200 ok").ends_with("done webhook, perhaps twice\n"));
    assert!(play("500\n429\n200 ok").ends_with("done webhook, perhaps twice\n"));
}

#[test]
fn a_webhooks_message_cannot_be_updated() {
    let opened = Receipt {
        external_id: "webhook".to_owned(),
        ..opened()
    };
    let mut worker = Worker::update(hook(), ended(), opened);
    assert_eq!(worker.play("200 ok"), "done webhook, exactly once\n");
}
