use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use handoff_core::call::RewriteOutcome;
use handoff_core::id::CarrierCallId;
use handoff_core::pii::Secret;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Request, StatusCode};

use crate::base_url::BaseUrl;
use crate::carrier::argument::WebUrl;
use crate::carrier::call_state::{CallEnd, CallState};
use crate::carrier::plivo::rest::{
    Account, AccountKind, AuthId, NotAnAuthId, RewriteError, fetch_account, fetch_call,
    hang_up_call, interpret_call, interpret_transfer, transfer_call,
};
use crate::carrier::verdict::{Fault, Retry};

const NOT_FOUND: &str = r#"{"api_id":"a-1","error":"call not found"}"#;

fn account() -> Account {
    account_at("https://api.plivo.com")
}

fn account_at(base_url: &str) -> Account {
    let auth_id = AuthId::parse("MA0000000000000001").expect("an auth id");
    let base_url = BaseUrl::parse(base_url).expect("a base URL");
    Account::new(&auth_id, &Secret::new("ZmFrZS10b2tlbg"), &base_url)
}

fn call() -> CarrierCallId {
    CarrierCallId("7d0c-0001".into())
}

fn check(request: &Request<Bytes>, expected: Expect) {
    let mut shown = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        shown.push_str(&format!("{name}: {value:?}\n"));
    }
    shown.push_str(std::str::from_utf8(request.body()).expect("a text"));
    expected.assert_eq(&shown);
}

#[test]
fn a_transfer_names_the_url_of_its_document() {
    let url = WebUrl::new("https://bridge.example.com/plivo/handoff/h1/2?a=1&b=2").expect("a URL");
    check(
        &transfer_call(&account(), &call(), &url),
        expect![[r#"
        POST https://api.plivo.com/v1/Account/MA0000000000000001/Call/7d0c-0001/
        authorization: Sensitive
        accept: "application/json"
        content-type: "application/json"
        {"legs":"aleg","aleg_url":"https://bridge.example.com/plivo/handoff/h1/2?a=1&b=2","aleg_method":"POST"}"#]],
    );
}

#[test]
fn calls_are_fetched_and_ended_and_the_account_is_fetched() {
    check(
        &fetch_call(&account(), &call()),
        expect![[r#"
        GET https://api.plivo.com/v1/Account/MA0000000000000001/Call/7d0c-0001/?status=live
        authorization: Sensitive
        accept: "application/json"
    "#]],
    );
    check(
        &hang_up_call(&account(), &call()),
        expect![[r#"
        DELETE https://api.plivo.com/v1/Account/MA0000000000000001/Call/7d0c-0001/
        authorization: Sensitive
        accept: "application/json"
    "#]],
    );
    check(
        &fetch_account(&account()),
        expect![[r#"
        GET https://api.plivo.com/v1/Account/MA0000000000000001/
        authorization: Sensitive
        accept: "application/json"
    "#]],
    );
}

#[test]
fn every_path_ends_with_a_slash_below_any_base() {
    let url = WebUrl::new("https://bridge.example.com/d").expect("a URL");
    for (base, prefix) in [
        ("https://api.plivo.com/", ""),
        ("http://127.0.0.1:9000/stand-in/", "/stand-in"),
    ] {
        let account = account_at(base);
        for request in [
            transfer_call(&account, &call(), &url),
            fetch_call(&account, &call()),
            hang_up_call(&account, &call()),
            fetch_account(&account),
        ] {
            let path = request.uri().path();
            let root = format!("{prefix}/v1/Account/MA0000000000000001/");
            assert!(path.starts_with(&root) && path.ends_with('/'), "{path}");
        }
    }
}

#[test]
fn credentials_are_sent_and_not_shown() {
    let account = account();
    let request = fetch_account(&account);
    let authorization = &request.headers()[AUTHORIZATION];
    assert_eq!(
        authorization,
        "Basic TUEwMDAwMDAwMDAwMDAwMDAxOlptRnJaUzEwYjJ0bGJn"
    );
    assert!(authorization.is_sensitive());
    let shown = format!("{account:?} {request:?}");
    assert!(!shown.contains("ZmFrZS10b2tlbg") && !shown.contains("TUEwMDAw"));
}

#[test]
fn no_call_name_can_reach_another_resource() {
    for (name, segment) in [
        ("../../Account/MA2", "______Account_MA2"),
        ("..", "__"),
        ("%2e%2e", "_2e_2e"),
        ("a b?c#d", "a_b_c_d"),
        ("é", "_"),
        ("", "_"),
        (&"x".repeat(100_000), &"x".repeat(64)),
    ] {
        let name = CarrierCallId(name.to_owned());
        for request in [
            fetch_call(&account(), &name),
            hang_up_call(&account(), &name),
        ] {
            let expected = format!("/v1/Account/MA0000000000000001/Call/{segment}/");
            assert_eq!(request.uri().path(), expected);
        }
    }
}

#[test]
fn names_of_accounts_are_told_apart() {
    for (name, kind) in [
        ("MA0000000000000001", AccountKind::Main),
        ("MAXXXXXXXXXXXXXXXXXX", AccountKind::Main),
        ("SAXXXXXXXXXXXXXXXXXX", AccountKind::Sub),
        ("MA1", AccountKind::Main),
    ] {
        let parsed = AuthId::parse(name).expect(name);
        assert_eq!((parsed.kind(), parsed.as_str()), (kind, name));
    }
    for bad in [
        "",
        "MA",
        "SA",
        "ma0000000000000001",
        "AC00000000000000000000000000000001",
        "MA../SA1",
        "MA 1",
        "MAé",
        &format!("MA{}", "0".repeat(63)),
    ] {
        assert_eq!(AuthId::parse(bad), Err(NotAnAuthId), "{bad}");
    }
}

fn interpret(status: u16, body: &str) -> Result<(), RewriteError> {
    let status = StatusCode::from_u16(status).expect("a status");
    interpret_transfer(status, &HeaderMap::new(), body.as_bytes())
}

#[test]
fn answers_to_a_transfer_are_told_apart() {
    let refused = |status| Err(RewriteError::Refused { code: None, status });
    let failed = |status| Err(RewriteError::ServerFailed { status });
    for (status, body, expected) in [
        (
            202,
            r#"{"message":"call transferred","api_id":"a-1"}"#,
            Ok(()),
        ),
        (202, "", Ok(())),
        (200, "not json", Ok(())),
        (404, NOT_FOUND, Err(RewriteError::CallerGone)),
        (404, "{}", Err(RewriteError::CallerGone)),
        (404, "<html>", refused(404)),
        (404, "", refused(404)),
        (
            400,
            r#"{"api_id":"a-1","error":"aleg_url is not a valid URL"}"#,
            refused(400),
        ),
        (401, "", refused(401)),
        (403, "", refused(403)),
        (405, "", refused(405)),
        (409, "", refused(409)),
        (422, "", refused(422)),
        (301, "", refused(301)),
        (408, "", failed(408)),
        (429, "", Err(RewriteError::Throttled { after: None })),
        (500, NOT_FOUND, failed(500)),
        (503, "<html>", failed(503)),
    ] {
        assert_eq!(interpret(status, body), expected, "{status} {body}");
    }
}

#[test]
fn a_wish_to_wait_is_read_in_seconds_only() {
    for (value, after) in [
        ("7", Some(Duration::from_secs(7))),
        ("soon", None),
        ("Sat, 21 Nov 2026 10:00:00 GMT", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).expect("a value"));
        let answer = interpret_transfer(StatusCode::TOO_MANY_REQUESTS, &headers, b"");
        assert_eq!(answer, Err(RewriteError::Throttled { after }), "{value}");
    }
}

#[test]
fn a_failed_transfer_says_what_may_be_done() {
    for (status, body, retry, fault, outcome) in [
        (
            404,
            NOT_FOUND,
            Retry::Never,
            Fault::Caller,
            RewriteOutcome::CallerGone,
        ),
        (
            400,
            "",
            Retry::Never,
            Fault::Ours,
            RewriteOutcome::Refused {
                code: None,
                status: 400,
            },
        ),
        (
            429,
            "",
            Retry::Repeat { after: None },
            Fault::Ours,
            RewriteOutcome::NotSent,
        ),
        (
            502,
            "",
            Retry::AskFirst,
            Fault::Theirs,
            RewriteOutcome::Unknown,
        ),
    ] {
        let error = interpret(status, body).expect_err("a failure");
        let verdict = error.verdict();
        assert_eq!((verdict.retry, verdict.fault), (retry, fault), "{status}");
        assert_eq!(RewriteOutcome::from(error), outcome, "{status}");
    }
}

#[test]
fn only_plivos_own_word_is_a_calls_state() {
    for (status, body, state) in [
        (
            200,
            r#"{"call_uuid":"u-1","call_status":"in-progress","from":"15550100001"}"#,
            CallState::InProgress,
        ),
        (200, r#"{"call_status":"ringing"}"#, CallState::Ringing),
        (
            200,
            r#"{"call_status":"Completed"}"#,
            CallState::Ended(CallEnd::Completed),
        ),
        (
            200,
            r#"{"call_status":"timeout"}"#,
            CallState::Ended(CallEnd::NoAnswer),
        ),
        (200, r#"{"call_status":"levitating"}"#, CallState::Unknown),
        (200, r#"{"call_status":7}"#, CallState::Unknown),
        (200, r#"{"call_uuid":"u-1"}"#, CallState::Unknown),
        (200, "", CallState::Unknown),
        (404, NOT_FOUND, CallState::Ended(CallEnd::Completed)),
        (404, "<html>", CallState::Unknown),
        (404, "", CallState::Unknown),
        (401, NOT_FOUND, CallState::Unknown),
        (500, r#"{"call_status":"completed"}"#, CallState::Unknown),
    ] {
        let code = StatusCode::from_u16(status).expect("a status");
        assert_eq!(
            interpret_call(code, body.as_bytes()),
            state,
            "{status} {body}"
        );
    }
}
