//! What Slack answers, in its own words, and what that says about the request.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::delivery::outcome::{FailureReason, SendFailure};
use crate::delivery::sink::answer;

/// Every answer of the Web API: HTTP 200 also on failure.
#[derive(Deserialize)]
struct WireStatus {
    ok: bool,
    error: Option<String>,
}

/// The answer to `chat.postMessage`.
#[derive(Deserialize)]
pub(super) struct WirePosted {
    pub(super) channel: String,
    pub(super) ts: String,
}

/// The answer of a method whose success says it all.
#[derive(Deserialize)]
pub(super) struct WireDone {}

/// The answer to `conversations.history` and `conversations.replies`.
#[derive(Deserialize)]
pub(super) struct WireMessages {
    pub(super) messages: Vec<WireMessage>,
    #[serde(default)]
    pub(super) has_more: bool,
    pub(super) response_metadata: Option<WireCursor>,
}

/// Where the next page begins. An empty cursor means that there is none.
#[derive(Deserialize)]
pub(super) struct WireCursor {
    pub(super) next_cursor: Option<String>,
}

/// A message, as far as we look at it.
#[derive(Deserialize)]
pub(super) struct WireMessage {
    pub(super) ts: String,
    pub(super) metadata: Option<WireMetadata>,
    #[serde(default)]
    pub(super) files: Vec<WireFile>,
}

/// A message's metadata; other applications put anything into theirs.
#[derive(Deserialize)]
pub(super) struct WireMetadata {
    pub(super) event_type: Option<String>,
    pub(super) event_payload: Option<serde_json::Value>,
}

/// A file of a message.
#[derive(Deserialize)]
pub(super) struct WireFile {
    pub(super) id: Option<String>,
}

/// The answer to `files.getUploadURLExternal`.
#[derive(Deserialize)]
pub(super) struct WireUploadUrl {
    pub(super) upload_url: String,
    pub(super) file_id: String,
}

/// Slack's error codes, grouped by what they mean for us. Both transports share them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    /// Too many requests; nothing happened.
    RateLimited,
    /// Slack failed; its own wording is that some of the request may have happened.
    Broken,
    /// The token or the app is no longer good.
    Account,
    /// The token may not use this method, or the method does not exist.
    NotPermitted,
    /// The webhook or the channel is gone for good.
    Gone,
    /// The channel cannot be posted to as configured.
    Channel,
    /// The message does not fit or is malformed.
    Content,
    /// The message or thread that the request is about is gone or closed.
    Absent,
    /// Anything else.
    Other,
}

impl Code {
    /// Sorts a code. Sources: docs.slack.dev, errors of `chat.postMessage`, `chat.update`,
    /// `conversations.history`, `files.*` and incoming webhooks, read 2026-11-21.
    fn of(word: &str) -> Self {
        match word {
            "ratelimited" | "rate_limited" => Self::RateLimited,
            "fatal_error"
            | "internal_error"
            | "request_timeout"
            | "service_unavailable"
            | "team_added_to_org"
            | "rollup_error" => Self::Broken,
            "not_authed"
            | "invalid_auth"
            | "account_inactive"
            | "token_revoked"
            | "token_expired"
            | "org_login_required"
            | "ekm_access_denied"
            | "access_denied"
            | "accesslimited"
            | "invalid_token"
            | "two_factor_setup_required"
            | "team_access_not_granted" => Self::Account,
            "missing_scope"
            | "no_permission"
            | "not_allowed_token_type"
            | "unknown_method"
            | "method_deprecated"
            | "deprecated_endpoint" => Self::NotPermitted,
            "no_service"
            | "no_active_hooks"
            | "no_team"
            | "team_disabled"
            | "is_archived"
            | "channel_is_archived" => Self::Gone,
            "channel_not_found"
            | "not_in_channel"
            | "restricted_action"
            | "restricted_action_read_only_channel"
            | "restricted_action_non_threadable_channel"
            | "action_prohibited"
            | "posting_to_general_channel_denied" => Self::Channel,
            "msg_too_long"
            | "msg_blocks_too_long"
            | "invalid_blocks"
            | "invalid_blocks_format"
            | "block_mismatch"
            | "no_text"
            | "invalid_payload"
            | "invalid_arguments"
            | "invalid_json"
            | "metadata_too_large"
            | "invalid_metadata_format"
            | "invalid_metadata_schema"
            | "too_many_attachments" => Self::Content,
            "message_not_found"
            | "cant_update_message"
            | "edit_window_closed"
            | "thread_not_found"
            | "cannot_reply_to_message"
            | "restricted_action_thread_locked"
            | "restricted_action_thread_only_channel"
            | "file_not_found" => Self::Absent,
            _ => Self::Other,
        }
    }
}

/// Why an answer is not the one that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The request certainly changed nothing and may be repeated.
    NotActed {
        /// The pause that Slack asks for.
        after: Option<Duration>,
        /// What happened.
        reason: FailureReason,
    },
    /// The request may have acted.
    Unknown {
        /// The pause that Slack asks for.
        after: Option<Duration>,
        /// What happened.
        reason: FailureReason,
    },
    /// Nothing can be delivered to this sink until an operator acts.
    Sink(FailureReason),
    /// This method is not open to us; others may be.
    NotPermitted(FailureReason),
    /// The message is not acceptable; another form may be.
    Content(FailureReason),
    /// What the request is about does not exist.
    Absent(FailureReason),
    /// Repeating does not help.
    Refused(FailureReason),
}

/// Reads an answer of the Web API as the given shape.
pub(super) fn read<T: DeserializeOwned>(
    answer: Result<Response<Bytes>, SendFailure>,
) -> Result<T, Trouble> {
    let answer = arrived(answer)?;
    let status: Option<WireStatus> = answer::json(&answer);
    match status {
        Some(WireStatus { ok: true, error: _ }) if answer.status().is_success() => {
            answer::json(&answer).ok_or(UNREADABLE)
        }
        Some(WireStatus {
            ok: false,
            error: Some(word),
        }) => Err(trouble(&answer, &word)),
        Some(WireStatus { ok: _, error: _ }) | None => Err(trouble(&answer, "")),
    }
}

/// Reads the answer of an incoming webhook: the plain text `ok`, or an error code.
pub(super) fn read_hook(answer: Result<Response<Bytes>, SendFailure>) -> Result<(), Trouble> {
    let answer = arrived(answer)?;
    let word = std::str::from_utf8(answer.body()).unwrap_or("").trim();
    if answer.status().is_success() && word == "ok" {
        return Ok(());
    }
    Err(match (trouble(&answer, word), answer.status()) {
        // A webhook that is not there is gone, whatever the body says.
        (Trouble::Refused(_), StatusCode::NOT_FOUND | StatusCode::GONE) => {
            Trouble::Sink(FailureReason::Gone)
        }
        (trouble, _) => trouble,
    })
}

/// Reads the answer of an upload URL: the status is all of it.
pub(super) fn read_upload(answer: Result<Response<Bytes>, SendFailure>) -> Result<(), Trouble> {
    let answer = arrived(answer)?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(trouble(&answer, ""))
    }
}

const UNREADABLE: Trouble = Trouble::Unknown {
    after: None,
    reason: FailureReason::Unreadable,
};

fn arrived(answer: Result<Response<Bytes>, SendFailure>) -> Result<Response<Bytes>, Trouble> {
    answer.map_err(|failure| match failure {
        SendFailure::NotSent => Trouble::NotActed {
            after: None,
            reason: FailureReason::Unreachable,
        },
        SendFailure::Unknown => Trouble::Unknown {
            after: None,
            reason: FailureReason::Unreachable,
        },
    })
}

fn trouble(answer: &Response<Bytes>, word: &str) -> Trouble {
    let status = answer.status();
    let after = answer::retry_after(answer.headers());
    let code = answer::is_code(word).then(|| word.to_owned());
    let rejected = FailureReason::Rejected {
        status: status.as_u16(),
        code,
    };
    let broken = FailureReason::Broken {
        status: status.as_u16(),
    };
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Trouble::NotActed {
            after,
            reason: FailureReason::Throttled,
        };
    }
    if status == StatusCode::REQUEST_TIMEOUT || status.is_server_error() {
        return Trouble::Unknown {
            after,
            reason: broken,
        };
    }
    match Code::of(word) {
        Code::RateLimited => Trouble::NotActed {
            after,
            reason: FailureReason::Throttled,
        },
        Code::Broken => Trouble::Unknown {
            after,
            reason: broken,
        },
        Code::Account => Trouble::Sink(FailureReason::Unauthorized),
        Code::NotPermitted => Trouble::NotPermitted(rejected),
        Code::Gone => Trouble::Sink(FailureReason::Gone),
        Code::Channel => Trouble::Sink(rejected),
        Code::Content => Trouble::Content(rejected),
        Code::Absent => Trouble::Absent(rejected),
        Code::Other if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            Trouble::Sink(FailureReason::Unauthorized)
        }
        // Success without a readable body, as a proxy's page: the request may have acted.
        Code::Other if status.is_success() && !answer::is_code(word) => UNREADABLE,
        Code::Other => Trouble::Refused(rejected),
    }
}
