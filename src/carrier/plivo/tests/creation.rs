use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use handoff_core::id::CarrierCallId;
use handoff_core::pii::Secret;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, Request, StatusCode};

use crate::base_url::BaseUrl;
use crate::carrier::argument::RingSeconds;
use crate::carrier::plivo::rest::{
    Account, AuthId, CreationError, NewCall, create_call, interpret_created,
};
use crate::carrier::testing::{number, url};
use crate::carrier::verdict::Retry;

fn account() -> Account {
    let auth_id = AuthId::parse("MA0000000000000001").expect("an auth id");
    let base_url = BaseUrl::parse("https://api.plivo.com").expect("a base URL");
    Account::new(&auth_id, &Secret::new("ZmFrZS10b2tlbg"), &base_url)
}

fn check(request: &Request<Bytes>, expected: Expect) {
    let body: serde_json::Value = serde_json::from_slice(request.body()).expect("JSON");
    let fields = body.as_object().expect("an object").iter();
    let fields: String = fields
        .map(|(name, value)| format!("  {name}: {value}\n"))
        .collect();
    let content_type = &request.headers()["content-type"];
    let line = format!("{} {} {content_type:?}", request.method(), request.uri());
    expected.assert_eq(&format!("{line}\n{fields}"));
}

#[test]
fn a_human_is_called_with_a_document_of_ours() {
    let call = NewCall {
        to: &number("+15550100042"),
        from: &number("+15550100002"),
        ring: RingSeconds::new(25).expect("a ring time"),
        document_url: &url("https://bridge.example.com/plivo/whisper/h1/2?a=1&b=2"),
        status_url: &url("https://bridge.example.com/plivo/leg/h1/2"),
    };
    check(
        &create_call(&account(), &call),
        expect![[r#"
            POST https://api.plivo.com/v1/Account/MA0000000000000001/Call/ "application/json"
              answer_method: "POST"
              answer_url: "https://bridge.example.com/plivo/whisper/h1/2?a=1&b=2"
              from: "15550100002"
              hangup_method: "POST"
              hangup_url: "https://bridge.example.com/plivo/leg/h1/2"
              ring_method: "POST"
              ring_timeout: 25
              ring_url: "https://bridge.example.com/plivo/leg/h1/2"
              to: "15550100042"
        "#]],
    );
    assert!(!format!("{call:?}").contains("1555"));
}

fn interpret(status: u16, body: &str) -> Result<CarrierCallId, CreationError> {
    let status = StatusCode::from_u16(status).expect("a status");
    interpret_created(status, &HeaderMap::new(), body.as_bytes())
}

#[test]
fn a_called_leg_is_named_in_every_shape_of_the_answer() {
    for body in [
        r#"{"message":"call fired","request_uuid":"u-2","api_id":"a-1"}"#,
        r#"{"message":"calls fired","request_uuid":["u-2","u-3"],"api_id":"a-1"}"#,
        r#"{"calls":[],"request_uuid":"u-2"}"#,
    ] {
        let named = interpret(201, body);
        assert_eq!(named, Ok(CarrierCallId("u-2".into())), "{body}");
    }
    for body in [
        "",
        "{}",
        "[]",
        "<html>",
        r#"{"request_uuid":""}"#,
        r#"{"request_uuid":[]}"#,
        r#"{"request_uuid":7}"#,
        r#"{"request_uuid":"../u-2"}"#,
        r#"{"request_uuid":null}"#,
    ] {
        assert_eq!(interpret(201, body), Err(CreationError::Unnamed), "{body}");
    }
}

#[test]
fn a_call_that_was_not_made_says_what_may_be_done() {
    let refused = |status| CreationError::Refused { code: None, status };
    for (status, body, error, retry, may_ring) in [
        (400, "", refused(400), Retry::Never, false),
        (403, "", refused(403), Retry::Never, false),
        (
            404,
            r#"{"error":"not found"}"#,
            refused(404),
            Retry::Never,
            false,
        ),
        (404, "<html>", refused(404), Retry::Never, false),
        (
            429,
            "",
            CreationError::Throttled { after: None },
            Retry::Repeat { after: None },
            false,
        ),
        (
            502,
            "",
            CreationError::ServerFailed { status: 502 },
            Retry::Never,
            true,
        ),
    ] {
        let answer = interpret(status, body);
        assert_eq!(answer, Err(error), "{status}");
        assert_eq!(error.verdict().retry, retry, "{status}");
        assert_eq!(error.may_ring(), may_ring, "{status}");
    }
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
    let answer = interpret_created(StatusCode::TOO_MANY_REQUESTS, &headers, b"");
    let after = Some(Duration::from_secs(7));
    assert_eq!(answer, Err(CreationError::Throttled { after }));
}
