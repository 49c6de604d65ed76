//! Zendesk's requests as golden texts, its answers as scripts.

use expect_test::{Expect, expect};
use handoff_core::call::{Disposition, TriggerSource};
use handoff_core::context::HandoffContext;
use handoff_core::pii::Secret;
use handoff_core::speech::Speaker;

use super::*;
use crate::delivery::outcome::{FailureReason, Receipt, SendFailure};
use crate::delivery::sink::testing::{
    ACCEPTED, Worker, context, hostile_context, monster_context, rendered, said,
};
use crate::delivery::sink::{BaseUrl, Refusal, Sink, content};

const UPLOADED: &str = r#"201 {"upload":{"token":"6bk3demo","attachment":{}}}"#;
const CREATED: &str = r#"201 {"ticket":{"id":35436,"external_id":"ho","status":"new"}}"#;

fn options() -> ZendeskOptions {
    ZendeskOptions {
        base: BaseUrl::parse("https://acme.zendesk.com").unwrap(),
        credentials: ZendeskCredentials::OAuth {
            client_id: "bridge_prod".to_owned(),
            client_secret: Secret::new("s3cr3t"),
            scope: "read write".to_owned(),
        },
        requester: Requester::Fixed {
            name: "Phone callers".to_owned(),
            email: "phone@acme.example".to_owned(),
        },
        priority: PriorityRule {
            steps: vec![PriorityStep {
                when: PriorityWhen::SentimentBelow(-0.5),
                priority: Priority::High,
            }],
            otherwise: Priority::Normal,
        },
        tags: vec!["voice_handoff".to_owned()],
        custom_fields: vec![
            CustomField {
                id: 36_000_111,
                value: FieldValue::CarrierCallId,
            },
            CustomField {
                id: 36_000_112,
                value: FieldValue::Sentiment,
            },
            CustomField {
                id: 36_000_113,
                value: FieldValue::Disposition,
            },
        ],
        limits: ZendeskLimits::VENDOR,
    }
}

fn sink(options: ZendeskOptions) -> Sink {
    Sink::Zendesk(Zendesk::new(options))
}

fn opened() -> Receipt {
    Receipt {
        external_id: "35436".to_owned(),
        url: None,
        content_sha256: content::sha256(&context()),
        exactly_once: true,
        at: ACCEPTED,
    }
}

fn ended() -> HandoffContext {
    HandoffContext {
        revision: 1,
        disposition: Some(Disposition::Bridged),
        ..context()
    }
}

fn grown() -> HandoffContext {
    let mut context = ended();
    context
        .transcript
        .push(said(Speaker::Human, 20_000, "How can I help?"));
    context
}

fn check_open(script: &str, expected: Expect) {
    expected.assert_eq(&Worker::open(sink(options()), context()).play(script));
}

fn check_update(context: HandoffContext, script: &str, expected: Expect) {
    expected.assert_eq(&Worker::update(sink(options()), context, opened()).play(script));
}

/// The create under way: the transcript is uploaded, the ticket was sent.
fn creating(
    options: ZendeskOptions,
    context: HandoffContext,
) -> (Worker, http::Request<bytes::Bytes>) {
    let mut worker = Worker::open(sink(options), context);
    worker.play(UPLOADED);
    let request = worker.request();
    (worker, request)
}

#[test]
fn token_request_is_json_at_the_root() {
    let request = sink(options()).authorize().expect("OAuth asks for a token");
    expect![[r#"
        POST https://acme.zendesk.com/oauth/tokens
        accept: application/json
        content-type: application/json

        {
          "client_id": "bridge_prod",
          "client_secret": "s3cr3t",
          "expires_in": 7200,
          "grant_type": "client_credentials",
          "scope": "read write"
        }
    "#]]
    .assert_eq(&rendered(&request));
}

#[test]
fn api_token_is_basic_and_needs_no_token_request() {
    let mut options = options();
    options.credentials = ZendeskCredentials::ApiToken {
        email: "bot@acme.example".to_owned(),
        token: Secret::new("abc"),
    };
    assert!(sink(options.clone()).authorize().is_none());
    let request = Worker::open(sink(options), context()).request();
    assert_eq!(
        request.headers()["authorization"],
        "Basic Ym90QGFjbWUuZXhhbXBsZS90b2tlbjphYmM="
    );
    assert!(request.headers()["authorization"].is_sensitive());
}

#[test]
fn token_answers_are_judged() {
    let zendesk = sink(options());
    let check = |status: u16, body: &'static str| {
        let mut response = http::Response::new(bytes::Bytes::from_static(body.as_bytes()));
        *response.status_mut() = status.try_into().unwrap();
        zendesk.interpret_authorization(Ok(response))
    };
    let granted = check(
        200,
        r#"{"access_token":"eyJ0","token_type":"bearer","scope":"read write","expires_in":7200}"#,
    )
    .expect("granted");
    assert_eq!(granted.token.expose(), "eyJ0");
    assert_eq!(granted.valid_for.map(|span| span.as_secs()), Some(7_200));
    let later = |reason| {
        Err(Refusal::Later {
            after: None,
            reason,
        })
    };
    let refusal =
        |answer: Result<_, Refusal>| answer.map(|_: crate::delivery::outcome::Authorization| ());
    assert_eq!(
        refusal(check(401, r#"{"error":"invalid_client"}"#)),
        Err(Refusal::Final(FailureReason::Unauthorized))
    );
    assert_eq!(
        refusal(check(400, r#"{"error":"invalid_scope"}"#)),
        Err(Refusal::Final(FailureReason::Rejected {
            status: 400,
            code: Some("invalid_scope".to_owned())
        }))
    );
    assert_eq!(
        refusal(check(502, "<html>")),
        later(FailureReason::Broken { status: 502 })
    );
    assert_eq!(
        refusal(check(200, "<html>")),
        later(FailureReason::Unreadable)
    );
    assert_eq!(
        refusal(zendesk.interpret_authorization(Err(SendFailure::Unknown))),
        later(FailureReason::Unreachable)
    );
}

#[test]
fn upload_request() {
    let request = Worker::open(sink(options()), context()).request();
    expect![[r#"
        POST https://acme.zendesk.com/api/v2/uploads?filename=transcript.txt
        accept: application/json
        authorization: Bearer t0k3n
        content-type: text/plain

        Handoff ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
        Call call_01KDVDNA00000G410820G41081 (CA00000000000000000000000000000002)
        Caller +15005550006
        Called +15005550001
        Accepted 2026-01-01 00:00:00 UTC

        00:01 Voice agent: Thanks for calling, how can I help?
        00:04 Caller: My refund never came.
        00:09 Caller: Get me a human. [decided the handoff]
    "#]]
    .assert_eq(&rendered(&request));
}

#[test]
fn create_request() {
    let (_, request) = creating(options(), context());
    expect![[r#"
        POST https://acme.zendesk.com/api/v2/tickets
        accept: application/json
        authorization: Bearer t0k3n
        content-type: application/json
        idempotency-key: ho_01KDVDNA00ZZZZZZZZZZZZZZZZ

        {
          "ticket": {
            "comment": {
              "html_body": "<p><b>Why a human</b><br>caller asks for human</p><blockquote>00:09, Caller: Get me a human.</blockquote><p><b>Summary</b><br>The caller&#39;s refund never came. They asked for a human.</p><ul><li><b>Caller</b> +15005550006</li><li><b>Called</b> +15005550001</li><li><b>Call accepted</b> 2026-01-01 00:00:00 UTC</li><li><b>Sentiment</b> -0.62, falling 0.30 a minute</li><li><b>Carrier's call id</b> CA00000000000000000000000000000002</li></ul><p><b>Transcript</b></p><p>Also attached as transcript.txt.</p><p>00:01 <b>Voice agent</b> Thanks for calling, how can I help?<br>00:04 <b>Caller</b> My refund never came.<br>00:09 <b>Caller</b> Get me a human. [decided the handoff]<br></p><p>Reference ho_01KDVDNA00ZZZZZZZZZZZZZZZZ revision 0</p>",
              "public": false,
              "uploads": [
                "6bk3demo"
              ]
            },
            "custom_fields": [
              {
                "id": 36000111,
                "value": "CA00000000000000000000000000000002"
              },
              {
                "id": 36000112,
                "value": "-0.62"
              }
            ],
            "external_id": "ho_01KDVDNA00ZZZZZZZZZZZZZZZZ",
            "priority": "high",
            "requester": {
              "email": "phone@acme.example",
              "name": "Phone callers"
            },
            "subject": "Caller needs a human: caller asks for human (+15005550006)",
            "tags": [
              "voice_handoff",
              "reason_caller_asks_for_human"
            ]
          }
        }
    "#]].assert_eq(&rendered(&request));
}

#[test]
fn create_request_of_a_hostile_call() {
    let mut options = options();
    options.requester = Requester::Caller {
        name_parameter: Some("name".to_owned()),
        email_parameter: Some("email".to_owned()),
    };
    options.priority.steps[0].when = PriorityWhen::Rule("caller_asks_for_human".to_owned());
    options.tags = vec!["Voice Handoff!".to_owned(), String::new()];
    options.custom_fields = vec![
        CustomField {
            id: 1,
            value: FieldValue::Parameter("name".to_owned()),
        },
        CustomField {
            id: 2,
            value: FieldValue::Parameter("absent".to_owned()),
        },
    ];
    let (_, request) = creating(options, hostile_context());
    expect![[r#"
        POST https://acme.zendesk.com/api/v2/tickets
        accept: application/json
        authorization: Bearer t0k3n
        content-type: application/json
        idempotency-key: ho_01KDVDNA00ZZZZZZZZZZZZZZZZ

        {
          "ticket": {
            "comment": {
              "html_body": "<p><b>Why a human</b><br>&lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; &quot;q&quot; &#39;a&#39; &#123;&#123;ticket.id&#125;&#125; *b* _i_ `c` ~s~ gnp &gt; quote</p><blockquote>00:09, Caller, still being recognized: &lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; &quot;q&quot; &#39;a&#39; &#123;&#123;ticket.id&#125;&#125; *b* _i_ `c` ~s~ gnp &gt; quote</blockquote><blockquote>00:09, keys: *0#`</blockquote><p><b>Summary</b><br>&lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; &quot;q&quot; &#39;a&#39; &#123;&#123;ticket.id&#125;&#125; *b* _i_ `c` ~s~ gnp &gt; quote</p><ul><li><b>Caller</b> &lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; &quot;q&quot; &#39;a&#39; &#123;&#123;ticket.id&#125;&#125; *b* _i_ `c` ~s~ gnp &gt; quote</li><li><b>Called</b> number withheld</li><li><b>Call accepted</b> 2026-01-01 00:00:00 UTC</li><li><b>Sentiment</b> -0.62, falling 0.30 a minute</li><li><b>Keys</b> *0#`</li><li><b>Carrier's call id</b> CA00000000000000000000000000000002</li></ul><p><b>Transcript</b><br>~ Approximate: heard by a phrase spotter, not a transcript of record.</p><p>Also attached as transcript.txt.</p><p>00:01 <b>Caller ~</b> &lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; &quot;q&quot; &#39;a&#39; &#123;&#123;ticket.id&#125;&#125; *b* _i_ `c` ~s~ gnp &gt; quote<br>00:09 <b>Caller</b> &lt;script&gt;alert(1)&lt;/script&gt; &lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; &quot;q&quot; &#39;a&#39; &#123;&#123;ticket.id&#125;&#125; *b* _i_ `c` ~s~ gnp &gt; quote [decided the handoff; still being recognized]<br></p><p>Reference ho_01KDVDNA00ZZZZZZZZZZZZZZZZ revision 0</p>",
              "public": false,
              "uploads": [
                "6bk3demo"
              ]
            },
            "custom_fields": [
              {
                "id": 1,
                "value": "<script>alert(1)</script> <!channel> <https://evil.example|ok> & \"q\" 'a' { {ticket.id}} *b* _i_ `c` ~s~ gnp > quote"
              }
            ],
            "external_id": "ho_01KDVDNA00ZZZZZZZZZZZZZZZZ",
            "priority": "normal",
            "requester": {
              "name": "<script>alert(1)</script> <!channel> <https://evil.example|ok> & \"q\" 'a' { {ticket.id}} *b* _i_ `c` ~s~ gnp > quote"
            },
            "subject": "Caller needs a human: <script>alert(1)</script> <!channel> <https://evil.example|ok> & \"q\" 'a' { {tick… (<script>alert(1)</script> <!channel> <h…)",
            "tags": [
              "voice_handoff_",
              "reason_api",
              "approximate_transcript"
            ]
          }
        }
    "#]].assert_eq(&rendered(&request));
}

#[test]
fn update_request() {
    let mut worker = Worker::update(sink(options()), ended(), opened());
    expect![[r#"
        PUT https://acme.zendesk.com/api/v2/tickets/35436
        accept: application/json
        authorization: Bearer t0k3n
        content-type: application/json

        {
          "ticket": {
            "comment": {
              "html_body": "<p><b>The call has ended</b><br>A human took the call.</p><p><b>Summary</b><br>The caller&#39;s refund never came. They asked for a human.</p><ul><li><b>Sentiment</b> -0.62, falling 0.30 a minute</li></ul><p>Reference ho_01KDVDNA00ZZZZZZZZZZZZZZZZ revision 1</p>",
              "public": false
            },
            "custom_fields": [
              {
                "id": 36000113,
                "value": "bridged"
              }
            ]
          }
        }
    "#]].assert_eq(&rendered(&worker.request()));
}

#[test]
fn update_attaches_a_transcript_that_grew() {
    let mut worker = Worker::update(sink(options()), grown(), opened());
    let upload = rendered(&worker.request());
    assert!(upload.contains("uploads?filename=transcript-1.txt"));
    assert!(upload.contains("00:20 Human: How can I help?"));
    let mut worker = Worker::update(sink(options()), grown(), opened());
    worker.play(UPLOADED);
    let update = rendered(&worker.request());
    assert!(update.contains("\"6bk3demo\"") && update.contains("The whole transcript is attached"));
}

#[test]
fn requester_is_the_caller_where_configured() {
    let requester = |parameters: &[(&str, &str)]| {
        let mut options = options();
        options.requester = Requester::Caller {
            name_parameter: Some("name".to_owned()),
            email_parameter: Some("email".to_owned()),
        };
        let mut context = context();
        for (name, value) in parameters {
            context
                .parameters
                .insert((*name).to_owned(), (*value).to_owned().into());
        }
        let body = render::create(&options, &context, None);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        body["ticket"]["requester"].to_string()
    };
    assert_eq!(requester(&[]), r#"{"name":"Caller +15005550006"}"#);
    assert_eq!(
        requester(&[("name", "Dana Reyes"), ("email", "dana@example.com")]),
        r#"{"email":"dana@example.com","name":"Dana Reyes"}"#
    );
    for bad in [
        "dana",
        "@example.com",
        "dana@",
        "a b@example.com",
        "dana@example",
        "d@.example.com",
    ] {
        assert_eq!(
            requester(&[("email", bad)]),
            r#"{"name":"Caller +15005550006"}"#,
            "{bad}"
        );
    }
}

#[test]
fn priority_follows_sentiment_and_rule() {
    let priority = |when: PriorityWhen, context: &HandoffContext| {
        let mut options = options();
        options.priority.steps = vec![PriorityStep {
            when,
            priority: Priority::Urgent,
        }];
        let body: serde_json::Value =
            serde_json::from_str(&render::create(&options, context, None)).unwrap();
        body["ticket"]["priority"].as_str().unwrap().to_owned()
    };
    let mut call = context();
    assert_eq!(
        priority(PriorityWhen::SentimentBelow(-0.6), &call),
        "urgent"
    );
    assert_eq!(
        priority(PriorityWhen::SentimentBelow(-0.62), &call),
        "normal"
    );
    assert_eq!(
        priority(
            PriorityWhen::Rule("caller_asks_for_human".to_owned()),
            &call
        ),
        "urgent"
    );
    assert_eq!(
        priority(PriorityWhen::Rule("billing".to_owned()), &call),
        "normal"
    );
    call.sentiment = None;
    call.trigger.source = TriggerSource::Api {
        reason: "billing".to_owned().into(),
    };
    assert_eq!(priority(PriorityWhen::SentimentBelow(1.0), &call), "normal");
    assert_eq!(
        priority(PriorityWhen::Rule("billing".to_owned()), &call),
        "normal"
    );
}

#[test]
fn a_monster_call_keeps_to_every_limit() {
    let context = monster_context();
    let limits = ZendeskLimits::VENDOR;
    for upload in [None, Some("6bk3demo")] {
        let body = render::create(&options(), &context, upload);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let note = body["ticket"]["comment"]["html_body"].as_str().unwrap();
        assert!(note.len() <= limits.comment_bytes, "{} bytes", note.len());
        assert!(note.ends_with("revision 0</p>"));
        assert!(!note.contains("<I"), "caller text is escaped");
        let pointer = if upload.is_some() {
            "see the attached transcript.txt"
        } else {
            "could not be attached"
        };
        assert!(note.contains(pointer));
        assert!(
            note.contains(" 9999 &lt;I &amp; you&gt;") || note.contains("9999 &lt;I &amp; you")
        );
        let subject = body["ticket"]["subject"].as_str().unwrap();
        assert!(subject.chars().count() <= limits.subject_characters);
        let update = render::update(&options(), &context, upload);
        assert!(update.len() <= limits.comment_bytes);
    }
    let small = ZendeskOptions {
        limits: ZendeskLimits {
            attachment_bytes: 1_000,
            ..limits
        },
        ..options()
    };
    let attachment = render::attachment(&small, &context);
    assert!(attachment.len() <= 1_000 && attachment.starts_with("[the beginning is cut off]"));
}

#[test]
fn a_ticket_takes_two_requests() {
    check_open(
        &format!("{UPLOADED}\n{CREATED}"),
        expect![[r#"
        POST /api/v2/uploads?filename=transcript.txt A
          201 -> continue
        POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
          201 -> done 35436, exactly once
    "#]],
    );
}

#[test]
fn a_call_without_words_is_created_at_once() {
    let silent = HandoffContext {
        transcript: Vec::new(),
        ..context()
    };
    expect![[r#"
        POST /api/v2/tickets A key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
          201 -> done 35436, exactly once
    "#]]
    .assert_eq(&Worker::open(sink(options()), silent).play(CREATED));
}

#[test]
fn a_repeated_create_has_the_same_bytes_and_key() {
    check_open(
        &format!(
            "{UPLOADED}\ntimeout\n503 retry-after=5\ncrash\n409 {{}}\n429 retry-after=30\nrefused\n{CREATED}"
        ),
        expect![[r#"
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              timeout -> retry: unreachable
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              503 retry-after=5 -> retry after 5s: broken (503)
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              crash
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              409 -> retry: rejected (409)
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              429 retry-after=30 -> retry after 30s: throttled
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              refused -> retry: unreachable
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              201 -> done 35436, exactly once
        "#]],
    );
}

#[test]
fn a_ticket_found_after_two_hours_is_adopted() {
    check_open(
        &format!(
            "{UPLOADED}\ntimeout\n+120m\n200 {{\"tickets\":[{{\"id\":1,\"external_id\":null}},{{\"id\":35436,\"external_id\":\"{}\"}}]}}",
            context().trigger.handoff
        ),
        expect![[r#"
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              timeout -> retry: unreachable
            +120m
            GET /api/v2/tickets?external_id=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              200 -> done 35436, exactly once
        "#]],
    );
}

#[test]
fn a_ticket_not_found_after_two_hours_is_created_under_a_new_key() {
    check_open(
        &format!("{UPLOADED}\ntimeout\n+120m\n200 {{\"tickets\":[]}}\n{UPLOADED}\n{CREATED}"),
        expect![[r#"
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              timeout -> retry: unreachable
            +120m
            GET /api/v2/tickets?external_id=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              200 -> continue
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ-1
              201 -> done 35436, exactly once
        "#]],
    );
}

#[test]
fn two_tickets_found_are_admitted() {
    let id = context().trigger.handoff;
    check_open(
        &format!(
            "{UPLOADED}\ntimeout\n+120m\n200 {{\"tickets\":[{{\"id\":7,\"external_id\":\"{id}\"}},{{\"id\":5,\"external_id\":\"{id}\"}}]}}"
        ),
        expect![[r#"
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              timeout -> retry: unreachable
            +120m
            GET /api/v2/tickets?external_id=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              200 -> done 5, perhaps twice
        "#]],
    );
}

#[test]
fn a_key_used_with_other_bytes_leads_to_a_search_and_then_admits_doubt() {
    let mismatch = r#"400 {"error":"IdempotentRequestError","description":"Request parameters don't match the given idempotency key"}"#;
    check_open(
        &format!("{UPLOADED}\n{mismatch}\n200 {{\"tickets\":[]}}\n{UPLOADED}\n{CREATED}"),
        expect![[r#"
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              400 -> continue
            GET /api/v2/tickets?external_id=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              200 -> continue
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ-1
              201 -> done 35436, perhaps twice
        "#]],
    );
    check_open(
        &format!("{UPLOADED}\n{mismatch}\n200 {{\"tickets\":[]}}\n{UPLOADED}\n{mismatch}"),
        expect![[r#"
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              400 -> continue
            GET /api/v2/tickets?external_id=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              200 -> continue
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ-1
              400 -> dead: rejected (400 IdempotentRequestError)
        "#]],
    );
}

#[test]
fn success_that_cannot_be_read_is_searched_for_and_repeated_under_the_same_key() {
    check_open(
        &format!("{UPLOADED}\n201 <html>\n200 {{\"tickets\":[]}}\n{CREATED}"),
        expect![[r#"
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              201 -> continue
            GET /api/v2/tickets?external_id=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              200 -> retry: unreadable
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              201 -> done 35436, exactly once
        "#]],
    );
    check_open(
        &format!("{UPLOADED}\n200\n403 {{}}\n{CREATED}"),
        expect![[r#"
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              200 -> continue
            GET /api/v2/tickets?external_id=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              403 -> retry: unreadable
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              201 -> done 35436, exactly once
        "#]],
    );
}

#[test]
fn an_upload_that_may_have_expired_is_made_again() {
    check_open(
        &format!("{UPLOADED}\n+60m\n{UPLOADED}\n{CREATED}"),
        expect![[r#"
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            +60m
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              201 -> done 35436, exactly once
        "#]],
    );
    check_open(
        &format!(
            "{UPLOADED}\ntimeout\n+61m\n422 {{\"error\":\"RecordInvalid\"}}\n200 {{\"tickets\":[]}}"
        ),
        expect![[r#"
            POST /api/v2/uploads?filename=transcript.txt A
              201 -> continue
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              timeout -> retry: unreachable
            +61m
            POST /api/v2/tickets B key=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              422 -> continue
            GET /api/v2/tickets?external_id=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
              200 -> continue
            next POST /api/v2/uploads?filename=transcript.txt A
        "#]],
    );
}

#[test]
fn a_ticket_goes_without_an_attachment_that_cannot_be_made() {
    for refusal in [
        "403 {\"error\":\"Forbidden\"}",
        "413",
        "422 {}",
        "500\n502\n503",
    ] {
        let mut worker = Worker::open(sink(options()), context());
        let record = worker.play(refusal);
        assert!(
            record.contains("next POST /api/v2/tickets"),
            "{refusal}: {record}"
        );
    }
    check_open(
        "timeout\ntimeout\ntimeout\ntimeout\n429 retry-after=1\n500\n401\n500",
        expect![[r#"
            POST /api/v2/uploads?filename=transcript.txt A
              timeout -> retry: unreachable
            POST /api/v2/uploads?filename=transcript.txt A
              timeout -> retry: unreachable
            POST /api/v2/uploads?filename=transcript.txt A
              timeout -> retry: unreachable
            POST /api/v2/uploads?filename=transcript.txt A
              timeout -> retry: unreachable
            POST /api/v2/uploads?filename=transcript.txt A
              429 retry-after=1 -> retry after 1s: throttled
            POST /api/v2/uploads?filename=transcript.txt A
              500 -> retry: broken (500)
            POST /api/v2/uploads?filename=transcript.txt A
              401 -> refresh
            POST /api/v2/uploads?filename=transcript.txt A
              500 -> retry: broken (500)
            next POST /api/v2/uploads?filename=transcript.txt A
        "#]],
    );
}

#[test]
fn progress_of_another_version_is_searched_for_first() {
    let mut worker = Worker::open(sink(options()), context());
    worker.progress = Some(b"{\"at\":\"elsewhere\"}".to_vec());
    expect![[r#"
        GET /api/v2/tickets?external_id=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
          429 -> retry: throttled
        GET /api/v2/tickets?external_id=ho_01KDVDNA00ZZZZZZZZZZZZZZZZ
          200 -> continue
        next POST /api/v2/uploads?filename=transcript.txt A
    "#]]
    .assert_eq(&worker.play("429\n200 {\"tickets\":[]}"));
}

#[test]
fn every_answer_to_a_create_has_its_verdict() {
    let (worker, _) = creating(options(), context());
    let record: String = [
        CREATED,
        r#"200 {"ticket":{"id":35436,"external_id":null}}"#,
        "200",
        "200 <html>proxy</html>",
        r#"200 {"ticket":{}}"#,
        r#"301"#,
        r#"400 {"error":"IdempotentRequestError","description":"x"}"#,
        r#"400 {"error":"Unprocessable"}"#,
        "400 <html>",
        r#"401 {"error":"Couldn't authenticate you"}"#,
        r#"403 {"error":"Forbidden"}"#,
        r#"403 {"error":{"title":"Forbidden","message":"You do not have access"}}"#,
        r#"404 {"error":"InvalidEndpoint"}"#,
        "408",
        "409 {}",
        "413",
        r#"422 {"error":"RecordInvalid","description":"Record validation errors","details":{"requester":[{"description":"Requester: Email is invalid","error":"InvalidValue"}]}}"#,
        "429",
        "429 retry-after=93",
        "500",
        "502 <html>bad gateway</html>",
        "503 retry-after=5",
        "504",
        "timeout",
        "refused",
    ]
    .iter()
    .map(|line| format!("{line} -> {}\n", worker.verdict(line)))
    .collect();
    expect![[r#"
        201 {"ticket":{"id":35436,"external_id":"ho","status":"new"}} -> done 35436, exactly once
        200 {"ticket":{"id":35436,"external_id":null}} -> done 35436, exactly once
        200 -> continue
        200 <html>proxy</html> -> continue
        200 {"ticket":{}} -> continue
        301 -> dead: rejected (301)
        400 {"error":"IdempotentRequestError","description":"x"} -> continue
        400 {"error":"Unprocessable"} -> dead: rejected (400 Unprocessable)
        400 <html> -> dead: rejected (400)
        401 {"error":"Couldn't authenticate you"} -> refresh
        403 {"error":"Forbidden"} -> dead: rejected (403 Forbidden)
        403 {"error":{"title":"Forbidden","message":"You do not have access"}} -> dead: rejected (403 Forbidden)
        404 {"error":"InvalidEndpoint"} -> dead: rejected (404 InvalidEndpoint)
        408 -> retry: broken (408)
        409 {} -> retry: rejected (409)
        413 -> dead: rejected (413)
        422 {"error":"RecordInvalid","description":"Record validation errors","details":{"requester":[{"description":"Requester: Email is invalid","error":"InvalidValue"}]}} -> dead: rejected (422 RecordInvalid)
        429 -> retry: throttled
        429 retry-after=93 -> retry after 93s: throttled
        500 -> retry: broken (500)
        502 <html>bad gateway</html> -> retry: broken (502)
        503 retry-after=5 -> retry after 5s: broken (503)
        504 -> retry: broken (504)
        timeout -> retry: unreachable
        refused -> retry: unreachable
    "#]].assert_eq(&record);
}

#[test]
fn an_update_takes_one_request_unless_more_was_said() {
    check_update(
        ended(),
        "200 {\"ticket\":{\"id\":35436}}",
        expect![[r#"
        PUT /api/v2/tickets/35436 A
          200 -> done 35436, exactly once
    "#]],
    );
    check_update(
        grown(),
        &format!("{UPLOADED}\n200 {{\"ticket\":{{\"id\":35436}}}}"),
        expect![[r#"
            POST /api/v2/uploads?filename=transcript-1.txt A
              201 -> continue
            PUT /api/v2/tickets/35436 B
              200 -> done 35436, exactly once
        "#]],
    );
}

#[test]
fn an_update_with_open_fate_is_looked_for_before_it_is_repeated() {
    let there = format!(
        "timeout\n200 {{\"comments\":[{{\"body\":\"…\\n{}\"}}]}}",
        render::marker(&ended())
    );
    check_update(
        ended(),
        &there,
        expect![[r#"
        PUT /api/v2/tickets/35436 A
          timeout -> retry: unreachable
        GET /api/v2/tickets/35436/comments?sort_order=desc
          200 -> done 35436, exactly once
    "#]],
    );
    check_update(
        ended(),
        "crash\n200 {\"comments\":[{\"body\":\"the first note\"}],\"next_page\":null}\n200 {\"ticket\":{\"id\":35436}}",
        expect![[r#"
            PUT /api/v2/tickets/35436 A
              crash
            GET /api/v2/tickets/35436/comments?sort_order=desc
              200 -> continue
            PUT /api/v2/tickets/35436 A
              200 -> done 35436, exactly once
        "#]],
    );
}

#[test]
fn an_update_that_cannot_be_looked_for_is_repeated_and_admitted() {
    for unprovable in [
        "403 {}",
        "404 {}",
        "200 {\"comments\":[],\"next_page\":\"https://acme.zendesk.com/x\"}",
        "200 {\"comments\":[],\"meta\":{\"has_more\":true}}",
    ] {
        let mut worker = Worker::update(sink(options()), ended(), opened());
        let record = worker.play(&format!(
            "timeout\n{unprovable}\n200 {{\"ticket\":{{\"id\":35436}}}}"
        ));
        assert!(
            record.ends_with("done 35436, perhaps twice\n"),
            "{unprovable}: {record}"
        );
    }
}

#[test]
fn an_update_that_certainly_did_not_act_is_repeated_without_a_look() {
    check_update(
        ended(),
        "429 retry-after=20\nrefused\n409\n200 {\"ticket\":{\"id\":35436}}",
        expect![[r#"
            PUT /api/v2/tickets/35436 A
              429 retry-after=20 -> retry after 20s: throttled
            PUT /api/v2/tickets/35436 A
              refused -> retry: unreachable
            PUT /api/v2/tickets/35436 A
              409 -> retry: rejected (409)
            PUT /api/v2/tickets/35436 A
              200 -> done 35436, exactly once
        "#]],
    );
}

#[test]
fn every_answer_to_an_update_has_its_verdict() {
    let mut worker = Worker::update(sink(options()), ended(), opened());
    worker.request();
    let record: String = [
        r#"200 {"ticket":{"id":35436},"audit":{}}"#,
        "200 <html>",
        "401",
        r#"403 {"error":"Forbidden"}"#,
        r#"404 {"error":"RecordNotFound","description":"Not found"}"#,
        "409 {}",
        r#"422 {"error":"RecordInvalid","description":"closed"}"#,
        "429 retry-after=600",
        "500",
        "503 retry-after=5",
        "timeout",
        "refused",
    ]
    .iter()
    .map(|line| format!("{line} -> {}\n", worker.verdict(line)))
    .collect();
    expect![[r#"
        200 {"ticket":{"id":35436},"audit":{}} -> done 35436, exactly once
        200 <html> -> retry: unreadable
        401 -> refresh
        403 {"error":"Forbidden"} -> dead: rejected (403 Forbidden)
        404 {"error":"RecordNotFound","description":"Not found"} -> dead: rejected (404 RecordNotFound)
        409 {} -> retry: rejected (409)
        422 {"error":"RecordInvalid","description":"closed"} -> dead: rejected (422 RecordInvalid)
        429 retry-after=600 -> retry after 600s: throttled
        500 -> retry: broken (500)
        503 retry-after=5 -> retry after 5s: broken (503)
        timeout -> retry: unreachable
        refused -> retry: unreachable
    "#]].assert_eq(&record);
}

#[test]
fn an_update_of_nothing_fails() {
    let opened = Receipt {
        external_id: "C1/2.3".to_owned(),
        ..opened()
    };
    let mut worker = Worker::update(sink(options()), ended(), opened);
    assert_eq!(worker.play("200"), "fail: never_opened\n");
}
