//! Every request that Slack gets from us.

use bytes::Bytes;
use handoff_core::id::HandoffId;
use handoff_core::pii::Secret;
use http::{HeaderValue, Method, Request};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::card::Block;
use crate::delivery::sink::endpoint::{BaseUrl, Draft, form};

const JSON: &str = "application/json; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";
/// The event type of our messages' metadata.
pub(super) const EVENT_TYPE: &str = "call_handoff";
/// Messages a look-up asks for at once. Slack may give fewer.
const PAGE: &str = "100";
/// Our clock may run ahead of Slack's by this much before a look-up misses a message.
const CLOCK_MARGIN_MS: u64 = 120_000;

/// A message of ours, to which others are replies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Root {
    pub(super) channel: String,
    pub(super) ts: String,
}

/// What a message says.
pub(super) struct Message<'a> {
    pub(super) text: &'a str,
    pub(super) blocks: &'a [Block],
    pub(super) label: &'a Label<'a>,
}

/// What our messages are recognised by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Label<'a> {
    #[serde(serialize_with = "as_text")]
    pub(super) handoff_id: &'a HandoffId,
    pub(super) revision: u32,
    /// Which message of the revision; the card has no part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<String>,
}

fn as_text<S: serde::Serializer>(id: &HandoffId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.as_str())
}

impl Label<'_> {
    /// Whether a message's metadata is this label.
    pub(super) fn is(&self, event_type: Option<&str>, payload: Option<&serde_json::Value>) -> bool {
        let Some(payload) = payload else { return false };
        event_type == Some(EVENT_TYPE)
            && payload.get("handoff_id").and_then(|id| id.as_str())
                == Some(self.handoff_id.as_str())
            && payload
                .get("revision")
                .and_then(|revision| revision.as_u64())
                == Some(u64::from(self.revision))
            && payload.get("part").and_then(|part| part.as_str()) == self.part.as_deref()
    }
}

/// Builds requests for one bot.
pub(super) struct Requests<'a> {
    base: &'a BaseUrl,
    authorization: Option<HeaderValue>,
}

impl<'a> Requests<'a> {
    pub(super) fn new(base: &'a BaseUrl, token: &Secret) -> Self {
        let authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .ok()
            .map(|mut value| {
                value.set_sensitive(true);
                value
            });
        Self {
            base,
            authorization,
        }
    }

    /// `chat.postMessage` into a channel.
    pub(super) fn post(&self, channel: &str, message: &Message<'_>) -> Request<Bytes> {
        let mut body = content(message);
        body["channel"] = json!(channel);
        self.json("chat.postMessage", &body)
    }

    /// `chat.postMessage` into the thread of a message.
    pub(super) fn reply(&self, root: &Root, message: &Message<'_>) -> Request<Bytes> {
        let mut body = content(message);
        body["channel"] = json!(root.channel);
        body["thread_ts"] = json!(root.ts);
        self.json("chat.postMessage", &body)
    }

    /// `chat.update`: replaces a message. Repeating it changes nothing.
    pub(super) fn replace(&self, root: &Root, message: &Message<'_>) -> Request<Bytes> {
        let body = json!({
            "channel": root.channel,
            "ts": root.ts,
            "text": message.text,
            "blocks": message.blocks,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": message.label},
        });
        self.json("chat.update", &body)
    }

    /// `conversations.history` since an instant, with metadata.
    pub(super) fn history(
        &self,
        channel: &str,
        since_ms: u64,
        cursor: Option<&str>,
    ) -> Request<Bytes> {
        self.look(
            "conversations.history",
            &[("channel", channel)],
            since_ms,
            cursor,
        )
    }

    /// `conversations.replies` since an instant, with metadata.
    pub(super) fn replies(
        &self,
        root: &Root,
        since_ms: u64,
        cursor: Option<&str>,
    ) -> Request<Bytes> {
        let place = [("channel", root.channel.as_str()), ("ts", root.ts.as_str())];
        self.look("conversations.replies", &place, since_ms, cursor)
    }

    /// `files.getUploadURLExternal`: the first of three steps.
    pub(super) fn reserve(&self, filename: &str, bytes: usize) -> Request<Bytes> {
        let length = bytes.to_string();
        self.form(
            "files.getUploadURLExternal",
            &[("filename", filename), ("length", &length)],
        )
    }

    /// The second: the bytes to the URL that Slack gave. The URL is the permission; the token stays
    /// here. `None` if the URL is not one of Slack's (or of the configured base's host).
    pub(super) fn store(&self, url: &str, text: String) -> Option<Request<Bytes>> {
        let host = BaseUrl::parse(url.split('?').next()?).ok()?;
        let slacks = host.host() == self.base.host()
            || (host.host().ends_with(".slack.com") && url.starts_with("https://"));
        let draft = Draft {
            method: Method::POST,
            url: url.to_owned(),
            authorization: None,
            content_type: Some("text/plain"),
            body: Bytes::from(text),
        };
        if slacks { draft.finish() } else { None }
    }

    /// The third: `files.completeUploadExternal` shows the file in the thread.
    pub(super) fn share(
        &self,
        root: &Root,
        file: &str,
        title: &str,
        comment: &str,
    ) -> Request<Bytes> {
        let files = json!([{"id": file, "title": title}]).to_string();
        self.form(
            "files.completeUploadExternal",
            &[
                ("files", &files),
                ("channel_id", &root.channel),
                ("thread_ts", &root.ts),
                ("initial_comment", comment),
            ],
        )
    }

    fn look(
        &self,
        method: &str,
        place: &[(&str, &str)],
        since_ms: u64,
        cursor: Option<&str>,
    ) -> Request<Bytes> {
        let since_ms = since_ms.saturating_sub(CLOCK_MARGIN_MS);
        let oldest = format!("{}.{:06}", since_ms / 1_000, since_ms % 1_000 * 1_000);
        let mut query = place.to_vec();
        query.extend([
            ("oldest", oldest.as_str()),
            ("inclusive", "true"),
            ("include_all_metadata", "true"),
            ("limit", PAGE),
        ]);
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let url = self.base.at(&format!("/{method}?{}", form(&query)));
        self.build(Method::GET, url, None, String::new())
    }

    fn json(&self, method: &str, body: &serde_json::Value) -> Request<Bytes> {
        let url = self.base.at(&format!("/{method}"));
        self.build(Method::POST, url, Some(JSON), body.to_string())
    }

    fn form(&self, method: &str, pairs: &[(&str, &str)]) -> Request<Bytes> {
        let url = self.base.at(&format!("/{method}"));
        self.build(Method::POST, url, Some(FORM), form(pairs))
    }

    fn build(
        &self,
        method: Method,
        url: String,
        content_type: Option<&'static str>,
        body: String,
    ) -> Request<Bytes> {
        let authorization = self.authorization.as_ref();
        Draft {
            method,
            url,
            authorization,
            content_type,
            body: Bytes::from(body),
        }
        .finish()
        .expect("the base is a checked URL and every query is encoded")
    }
}

/// `POST` to an incoming webhook.
pub(super) fn hook(url: &BaseUrl, text: &str, blocks: &[Block]) -> Request<Bytes> {
    let body = json!({
        "text": text,
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    });
    Draft {
        method: Method::POST,
        url: url.at(""),
        authorization: None,
        content_type: Some(JSON),
        body: Bytes::from(body.to_string()),
    }
    .finish()
    .expect("a checked URL stays one")
}

fn content(message: &Message<'_>) -> serde_json::Value {
    let mut body = json!({
        "text": message.text,
        "metadata": {"event_type": EVENT_TYPE, "event_payload": message.label},
        "unfurl_links": false,
        "unfurl_media": false,
    });
    if !message.blocks.is_empty() {
        body["blocks"] = json!(message.blocks);
    }
    body
}
