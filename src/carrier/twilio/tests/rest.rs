use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use handoff_core::call::RewriteOutcome;
use handoff_core::id::CarrierCallId;
use handoff_core::pii::Secret;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Request, StatusCode};

use crate::base_url::BaseUrl;
use crate::carrier::number::E164;
use crate::carrier::twilio::argument::{RingSeconds, WebUrl};
use crate::carrier::twilio::call_state::{CallEnd, CallState};
use crate::carrier::twilio::rest::{
    Account, AccountSid, CreationError, Credentials, INLINE_LIMIT_CHARS, KeySid, NewCall,
    RewriteError, create_call, end_call, fetch_call, interpret_call, interpret_created,
    interpret_rewrite, rewrite_call,
};
use crate::carrier::verdict::{Fault, Retry};

fn account() -> Account {
    account_at(
        "https://api.twilio.com",
        &Credentials::AuthToken(Secret::new("0f1e2d")),
    )
}

fn account_at(base_url: &str, credentials: &Credentials) -> Account {
    let sid = AccountSid::parse("AC00000000000000000000000000000001").expect("a SID");
    let base_url = BaseUrl::parse(base_url).expect("a base URL");
    Account::new(&sid, credentials, &base_url)
}

fn call() -> CarrierCallId {
    CarrierCallId("CA1".into())
}

fn document_url() -> WebUrl {
    WebUrl::new("https://bridge.example.com/twilio/document?h=h1&n=2").expect("a URL")
}

fn check(request: &Request<Bytes>, expected: Expect) {
    let mut shown = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        shown.push_str(&format!("{name}: {value:?}\n"));
    }
    shown.push_str(std::str::from_utf8(request.body()).expect("an ASCII form"));
    expected.assert_eq(&shown);
}

#[test]
fn a_short_document_travels_inline() {
    let document = r#"<?xml version="1.0"?><Response><Say>é + 100%</Say></Response>"#;
    check(
        &rewrite_call(&account(), &call(), document, &document_url()),
        expect![[r#"
            POST https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001/Calls/CA1.json
            authorization: Sensitive
            accept: "application/json"
            content-type: "application/x-www-form-urlencoded"
            Twiml=%3C%3Fxml+version%3D%221.0%22%3F%3E%3CResponse%3E%3CSay%3E%C3%A9+%2B+100%25%3C%2FSay%3E%3C%2FResponse%3E"#]],
    );
}

#[test]
fn a_long_document_travels_by_url() {
    let long = "x".repeat(INLINE_LIMIT_CHARS + 1);
    check(
        &rewrite_call(&account(), &call(), &long, &document_url()),
        expect![[r#"
            POST https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001/Calls/CA1.json
            authorization: Sensitive
            accept: "application/json"
            content-type: "application/x-www-form-urlencoded"
            Url=https%3A%2F%2Fbridge.example.com%2Ftwilio%2Fdocument%3Fh%3Dh1%26n%3D2&Method=POST"#]],
    );
}

#[test]
fn the_inline_limit_counts_characters() {
    let inline = |document: &str| {
        rewrite_call(&account(), &call(), document, &document_url())
            .body()
            .starts_with(b"Twiml=")
    };
    assert!(inline(&"é".repeat(INLINE_LIMIT_CHARS)));
    assert!(!inline(&"é".repeat(INLINE_LIMIT_CHARS + 1)));
    assert!(inline(&"\u{1f600}".repeat(INLINE_LIMIT_CHARS)));
}

#[test]
fn calls_are_fetched() {
    check(
        &fetch_call(&account(), &call()),
        expect![[r#"
        GET https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001/Calls/CA1.json
        authorization: Sensitive
        accept: "application/json"
    "#]],
    );
}

#[test]
fn keys_regions_and_prefixes_are_used() {
    let key = Credentials::ApiKey {
        sid: KeySid::parse("SK00000000000000000000000000000002").expect("a SID"),
        secret: Secret::new("s3cret"),
    };
    let account = account_at("https://api.dublin.ie1.twilio.com/", &key);
    let request = fetch_call(&account, &call());
    assert_eq!(
        request.uri(),
        "https://api.dublin.ie1.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001/Calls/CA1.json"
    );
    let authorization = &request.headers()[AUTHORIZATION];
    assert_eq!(
        authorization,
        "Basic U0swMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMjpzM2NyZXQ="
    );
    assert!(authorization.is_sensitive());
    let account = account_at("http://127.0.0.1:9000/stand-in", &key);
    assert_eq!(
        fetch_call(&account, &call()).uri(),
        "http://127.0.0.1:9000/stand-in/2010-04-01/Accounts/AC00000000000000000000000000000001/Calls/CA1.json"
    );
    assert!(!format!("{account:?} {key:?}").contains("s3cret"));
    assert!(!format!("{account:?}").contains("U0swMDAw"));
}

#[test]
fn no_call_name_can_leave_its_place_in_the_url() {
    for name in [
        "../../Accounts/AC2",
        "a b?c#d",
        "é",
        "",
        &"x".repeat(100_000),
    ] {
        let request = fetch_call(&account(), &CarrierCallId(name.to_owned()));
        let path = request.uri().path();
        assert!(
            path.starts_with("/2010-04-01/Accounts/AC00000000000000000000000000000001/Calls/"),
            "{path}"
        );
        assert_eq!(path.matches('/').count(), 5, "{path}");
        assert_eq!(request.uri().query(), None);
    }
}

#[test]
fn names_of_accounts_and_keys_are_told_apart() {
    let digits = "0f".repeat(16);
    assert!(AccountSid::parse(&format!("AC{digits}")).is_ok());
    assert!(KeySid::parse(&format!("SK{digits}")).is_ok());
    for bad in [
        String::new(),
        "AC".to_owned(),
        "AC1".to_owned(),
        digits.clone(),
        format!("SK{digits}"),
        format!("ac{digits}"),
        format!("AC{digits}0"),
        format!("AC{}", "0g".repeat(16)),
        format!("AC{}", "é".repeat(16)),
    ] {
        assert!(AccountSid::parse(&bad).is_err(), "{bad}");
    }
    assert!(KeySid::parse(&format!("AC{digits}")).is_err());
}

fn interpret(status: u16, body: &str) -> Result<(), RewriteError> {
    let status = StatusCode::from_u16(status).expect("a status");
    interpret_rewrite(status, &HeaderMap::new(), body.as_bytes())
}

#[test]
fn answers_to_a_rewrite_are_told_apart() {
    let gone = r#"{"code":21220,"message":"Call is not in-progress. Cannot redirect.","more_info":"https://www.twilio.com/docs/errors/21220","status":400}"#;
    let refused = |code, status| Err(RewriteError::Refused { code, status });
    let throttled = Err(RewriteError::Throttled { after: None });
    for (status, body, expected) in [
        (200, r#"{"sid":"CA1","status":"in-progress"}"#, Ok(())),
        (200, "", Ok(())),
        (201, "not json", Ok(())),
        (400, gone, Err(RewriteError::CallerGone)),
        (
            400,
            r#"{"code":32018,"status":400}"#,
            refused(Some(32018), 400),
        ),
        (400, r#"{"code":"21220"}"#, refused(None, 400)),
        (
            401,
            r#"{"code":20003,"status":401}"#,
            refused(Some(20003), 401),
        ),
        (403, "<html>", refused(None, 403)),
        (
            404,
            r#"{"code":20404,"status":404}"#,
            refused(Some(20404), 404),
        ),
        (302, "", refused(None, 302)),
        (408, "", Err(RewriteError::ServerFailed { status: 408 })),
        (429, r#"{"code":20429,"status":429}"#, throttled),
        (429, "", throttled),
        (400, r#"{"code":20429}"#, throttled),
        (500, "", Err(RewriteError::ServerFailed { status: 500 })),
        (500, gone, Err(RewriteError::ServerFailed { status: 500 })),
        (
            503,
            "<html>",
            Err(RewriteError::ServerFailed { status: 503 }),
        ),
    ] {
        assert_eq!(interpret(status, body), expected, "{status} {body}");
    }
}

#[test]
fn a_wish_to_wait_is_read_in_seconds_only() {
    for (value, after) in [
        ("7", Some(Duration::from_secs(7))),
        (" 0 ", Some(Duration::ZERO)),
        ("-1", None),
        ("soon", None),
        ("Sat, 21 Nov 2026 10:00:00 GMT", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).expect("a value"));
        let answer = interpret_rewrite(StatusCode::TOO_MANY_REQUESTS, &headers, b"");
        assert_eq!(answer, Err(RewriteError::Throttled { after }), "{value}");
    }
}

#[test]
fn every_failure_has_a_verdict() {
    let after = Some(Duration::from_secs(2));
    let refused = RewriteError::Refused {
        code: Some(32018),
        status: 400,
    };
    let refused_outcome = RewriteOutcome::Refused {
        code: Some(32018),
        status: 400,
    };
    for (error, retry, fault, outcome) in [
        (
            RewriteError::CallerGone,
            Retry::Never,
            Fault::Caller,
            RewriteOutcome::CallerGone,
        ),
        (refused, Retry::Never, Fault::Ours, refused_outcome),
        (
            RewriteError::Throttled { after },
            Retry::Repeat { after },
            Fault::Ours,
            RewriteOutcome::NotSent,
        ),
        (
            RewriteError::ServerFailed { status: 503 },
            Retry::AskFirst,
            Fault::Theirs,
            RewriteOutcome::Unknown,
        ),
        (
            RewriteError::NotSent,
            Retry::Repeat { after: None },
            Fault::Unclear,
            RewriteOutcome::NotSent,
        ),
        (
            RewriteError::Unanswered,
            Retry::AskFirst,
            Fault::Unclear,
            RewriteOutcome::Unknown,
        ),
    ] {
        let verdict = error.verdict();
        assert_eq!((verdict.retry, verdict.fault), (retry, fault), "{error:?}");
        assert_eq!(RewriteOutcome::from(error), outcome);
    }
}

#[test]
fn only_a_calls_own_word_is_its_state() {
    for (status, body, state) in [
        (200, r#"{"sid":"CA1","status":"queued"}"#, CallState::Queued),
        (200, r#"{"status":"ringing"}"#, CallState::Ringing),
        (200, r#"{"status":"in-progress"}"#, CallState::InProgress),
        (
            200,
            r#"{"status":"completed"}"#,
            CallState::Ended(CallEnd::Completed),
        ),
        (200, r#"{"status":"busy"}"#, CallState::Ended(CallEnd::Busy)),
        (
            200,
            r#"{"status":"failed"}"#,
            CallState::Ended(CallEnd::Failed),
        ),
        (
            200,
            r#"{"status":"no-answer"}"#,
            CallState::Ended(CallEnd::NoAnswer),
        ),
        (
            200,
            r#"{"status":"canceled"}"#,
            CallState::Ended(CallEnd::Canceled),
        ),
        (200, r#"{"status":"paused"}"#, CallState::Unknown),
        (200, r#"{"status":7}"#, CallState::Unknown),
        (200, "", CallState::Unknown),
        (404, r#"{"code":20404,"status":404}"#, CallState::Unknown),
        (500, r#"{"status":"completed"}"#, CallState::Unknown),
    ] {
        let code = StatusCode::from_u16(status).expect("a status");
        assert_eq!(
            interpret_call(code, body.as_bytes()),
            state,
            "{status} {body}"
        );
    }
}

#[test]
fn a_human_is_called_apart() {
    let number = |text: &str| E164::parse(text).expect("a number");
    let (to, from) = (number("+15550100042"), number("+15550100002"));
    let status_url = WebUrl::new("https://bridge.example.com/twilio/leg/h1/2").expect("a URL");
    let call = NewCall {
        to: &to,
        from: &from,
        ring: RingSeconds::new(25).expect("a ring time"),
        document_url: &document_url(),
        status_url: &status_url,
    };
    check(
        &create_call(&account(), &call),
        expect![[r#"
        POST https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001/Calls.json
        authorization: Sensitive
        accept: "application/json"
        content-type: "application/x-www-form-urlencoded"
        To=%2B15550100042&From=%2B15550100002&Url=https%3A%2F%2Fbridge.example.com%2Ftwilio%2Fdocument%3Fh%3Dh1%26n%3D2&Method=POST&Timeout=25&StatusCallback=https%3A%2F%2Fbridge.example.com%2Ftwilio%2Fleg%2Fh1%2F2&StatusCallbackMethod=POST&StatusCallbackEvent=initiated&StatusCallbackEvent=ringing&StatusCallbackEvent=answered&StatusCallbackEvent=completed"#]],
    );
    assert!(!format!("{call:?}").contains("+1555"));
}

#[test]
fn a_call_is_ended() {
    check(
        &end_call(&account(), &call()),
        expect![[r#"
        POST https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001/Calls/CA1.json
        authorization: Sensitive
        accept: "application/json"
        content-type: "application/x-www-form-urlencoded"
        Status=completed"#]],
    );
}

#[test]
fn answers_to_a_creation_are_told_apart() {
    let check = |status: u16, body: &str, expected: Expect| {
        let status = StatusCode::from_u16(status).expect("a status");
        let answer = interpret_created(status, &HeaderMap::new(), body.as_bytes());
        expected.assert_eq(&match answer {
            Ok(call) => format!("{call:?}"),
            Err(error) => format!(
                "{error}; {:?}; may ring: {}",
                error.verdict(),
                error.may_ring()
            ),
        });
    };
    check(
        201,
        r#"{"sid":"CA2","status":"queued"}"#,
        expect![[r#"CarrierCallId("CA2")"#]],
    );
    check(
        201,
        r#"{"status":"queued"}"#,
        expect![
            "call to a human: taken, but not named; Verdict { retry: Never, fault: Theirs }; may ring: true"
        ],
    );
    check(
        201,
        r#"{"sid":"../Accounts"}"#,
        expect![
            "call to a human: taken, but not named; Verdict { retry: Never, fault: Theirs }; may ring: true"
        ],
    );
    check(
        200,
        "<html>",
        expect![
            "call to a human: taken, but not named; Verdict { retry: Never, fault: Theirs }; may ring: true"
        ],
    );
    check(
        400,
        r#"{"code":21211,"message":"to +15550100042"}"#,
        expect![
            "call to a human: refused with status 400; Verdict { retry: Never, fault: Ours }; may ring: false"
        ],
    );
    check(
        400,
        r#"{"code":21220}"#,
        expect![
            "call to a human: refused with status 400; Verdict { retry: Never, fault: Ours }; may ring: false"
        ],
    );
    check(
        401,
        "",
        expect![
            "call to a human: refused with status 401; Verdict { retry: Never, fault: Ours }; may ring: false"
        ],
    );
    check(
        429,
        r#"{"code":20429}"#,
        expect![
            "call to a human: too many requests; Verdict { retry: Repeat { after: None }, fault: Ours }; may ring: false"
        ],
    );
    check(
        500,
        "",
        expect![
            "call to a human: the carrier failed with status 500; Verdict { retry: Never, fault: Theirs }; may ring: true"
        ],
    );
    check(
        408,
        "",
        expect![
            "call to a human: the carrier failed with status 408; Verdict { retry: Never, fault: Theirs }; may ring: true"
        ],
    );
}

#[test]
fn a_creation_of_unknown_outcome_is_not_repeated() {
    for (error, retry, may_ring) in [
        (CreationError::NotSent, Retry::Repeat { after: None }, false),
        (CreationError::Unanswered, Retry::Never, true),
        (CreationError::Unnamed, Retry::Never, true),
    ] {
        assert_eq!(error.verdict().retry, retry, "{error}");
        assert_eq!(error.may_ring(), may_ring, "{error}");
    }
}
