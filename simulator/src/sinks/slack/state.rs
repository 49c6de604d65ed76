//! What Slack keeps, and what each request does to it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::arguments::{argument_number, arguments};
use super::blocks::{check_blocks, markup_texts};
use super::range::Range;
use super::server::{Route, SlackOptions};
use crate::http1::{Request, Response};
use crate::sinks::fault::{RequestLine, SinkFault};

/// Slack cuts text behind this (api.slack.com/methods/chat.postMessage, read 2026-11-21).
const TEXT_LIMIT: usize = 40_000;

/// Everything a Slack stand-in saw and keeps.
#[derive(Debug, Default)]
pub struct State {
    /// Messages, in order of posting.
    pub messages: Vec<Message>,
    /// Files, in order of the request for their upload URL.
    pub files: Vec<File>,
    /// Requests, in order.
    pub requests: Vec<RequestLine>,
    /// One sentence for every rule that the client broke.
    pub violations: Vec<String>,
    pub(super) base_url: String,
    pub(super) faults: Vec<SinkFault<Route>>,
    last_ts: u64,
}

/// A channel the bot is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The id that answers carry.
    pub id: String,
    /// The name, without `#`.
    pub name: String,
}

/// One message as it reads after its updates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// Id of its channel.
    pub channel: String,
    /// Its time stamp, which is its id.
    pub ts: String,
    /// The message whose thread it is in.
    pub thread_ts: Option<String>,
    /// Shown in notifications when there are blocks.
    pub text: String,
    /// Blocks as sent; null when there are none.
    pub blocks: Value,
    /// Metadata as sent; null when there is none.
    pub metadata: Value,
    /// Ids of files shared with it.
    pub files: Vec<String>,
    /// How often it was updated.
    pub updates: u32,
    /// Whether it came through the incoming webhook.
    pub by_webhook: bool,
}

/// One file on its way through the three steps of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its id.
    pub id: String,
    /// As announced.
    pub filename: String,
    /// As announced, in bytes.
    pub length: usize,
    /// The file, once it was sent.
    pub bytes: Option<Vec<u8>>,
    /// Channel it was shared to.
    pub channel: Option<String>,
    /// Thread it was shared to.
    pub thread_ts: Option<String>,
}

impl State {
    pub(super) fn new(faults: Vec<SinkFault<Route>>) -> Self {
        Self {
            faults,
            ..Self::default()
        }
    }

    /// The messages of a thread, its root not included.
    pub fn thread(&self, root_ts: &str) -> Vec<&Message> {
        self.messages
            .iter()
            .filter(|message| message.thread_ts.as_deref() == Some(root_ts))
            .collect()
    }

    pub(super) fn violate(&mut self, sentence: String) {
        self.violations.push(format!("slack: {sentence}"));
    }

    fn reject(&mut self, error: &str, sentence: &str) -> Response {
        self.violate(sentence.to_owned());
        failed(error)
    }

    pub(super) fn post_message(&mut self, options: &SlackOptions, request: &Request) -> Response {
        let Some(arguments) = arguments(request) else {
            return self.reject(
                "invalid_json",
                "the message is neither a JSON object nor a form",
            );
        };
        let Some(channel) = known_channel(options, &arguments, Naming::IdOrName) else {
            return self.reject(
                "channel_not_found",
                "a message is posted to a channel that the bot is not in",
            );
        };
        if let Some(refused) = self.check_content(options, &arguments) {
            return refused;
        }
        let thread_ts = arguments.get("thread_ts").and_then(Value::as_str);
        if thread_ts.is_some_and(|ts| !self.is_root(&channel, ts)) {
            return self.reject(
                "thread_not_found",
                "thread_ts is not a message of the channel that starts a thread",
            );
        }
        if let Some(metadata) = arguments.get("metadata")
            && (!metadata["event_type"].is_string() || !metadata["event_payload"].is_object())
        {
            return self.reject(
                "invalid_metadata_schema",
                "metadata has no event_type text and event_payload object",
            );
        }
        let message = self.store(channel, &arguments, thread_ts.map(str::to_owned), false);
        let shown = shown(&message, true);
        Response::json(
            200,
            &json!({"ok": true, "channel": message.channel, "ts": message.ts, "message": shown}),
        )
    }

    pub(super) fn update_message(&mut self, options: &SlackOptions, request: &Request) -> Response {
        let Some(arguments) = arguments(request) else {
            return self.reject(
                "invalid_json",
                "the update is neither a JSON object nor a form",
            );
        };
        let Some(channel) = known_channel(options, &arguments, Naming::Id) else {
            return self.reject("channel_not_found", "a message is updated in a channel that is not given by the id of one the bot is in");
        };
        let ts = arguments
            .get("ts")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let Some(index) = self
            .messages
            .iter()
            .position(|message| message.channel == channel && message.ts == ts)
        else {
            return self.reject(
                "message_not_found",
                "an update names a message that does not exist",
            );
        };
        if self.messages[index].by_webhook {
            return self.reject(
                "cant_update_message",
                "an update names a message that the bot did not post",
            );
        }
        if let Some(refused) = self.check_content(options, &arguments) {
            return refused;
        }
        let message = &mut self.messages[index];
        if let Some(text) = arguments.get("text").and_then(Value::as_str) {
            message.text = text.to_owned();
        }
        if let Some(blocks) = arguments.get("blocks") {
            message.blocks = blocks.clone();
        }
        if let Some(metadata) = arguments.get("metadata") {
            message.metadata = metadata.clone();
        }
        message.updates += 1;
        let text = message.text.clone();
        Response::json(
            200,
            &json!({"ok": true, "channel": channel, "ts": ts, "text": text, "message": shown(&self.messages[index], true)}),
        )
    }

    /// The roots of a channel, newest first.
    pub(super) fn history(&mut self, options: &SlackOptions, request: &Request) -> Response {
        let range = match self.read_range(options, request) {
            Ok(range) => range,
            Err(refused) => return refused,
        };
        range.page(
            self.messages
                .iter()
                .rev()
                .filter(|message| message.thread_ts.is_none()),
        )
    }

    /// A root and the messages of its thread, oldest first.
    pub(super) fn replies(&mut self, options: &SlackOptions, request: &Request) -> Response {
        let range = match self.read_range(options, request) {
            Ok(range) => range,
            Err(refused) => return refused,
        };
        if !self.is_root(&range.channel, &range.root) {
            return self.reject(
                "thread_not_found",
                "ts is not a message of the channel that starts a thread",
            );
        }
        let is_part = |message: &&Message| {
            message.ts == range.root || message.thread_ts.as_ref() == Some(&range.root)
        };
        range.page(self.messages.iter().filter(is_part))
    }

    fn read_range(&mut self, options: &SlackOptions, request: &Request) -> Result<Range, Response> {
        let Some(arguments) = arguments(request) else {
            return Err(self.reject("invalid_arguments", "the arguments cannot be read"));
        };
        let Some(channel) = known_channel(options, &arguments, Naming::Id) else {
            let sentence =
                "messages are read from a channel that is not given by the id of one the bot is in";
            return Err(self.reject("channel_not_found", sentence));
        };
        Range::read(channel, &arguments)
            .ok_or_else(|| self.reject("invalid_cursor", "a cursor was not given out"))
    }

    pub(super) fn get_upload_url(&mut self, request: &Request) -> Response {
        let arguments = arguments(request).unwrap_or_default();
        let filename = arguments
            .get("filename")
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty());
        let length = argument_number(&arguments, "length").filter(|length| *length >= 1.0);
        let (Some(filename), Some(length)) = (filename, length) else {
            return self.reject(
                "invalid_arguments",
                "an upload is announced without filename or length",
            );
        };
        let number = self.files.len() + 1;
        let id = format!("F0HANDOFF{number}");
        self.files.push(File {
            id: id.clone(),
            filename: filename.to_owned(),
            length: length as usize,
            bytes: None,
            channel: None,
            thread_ts: None,
        });
        Response::json(
            200,
            &json!({"ok": true, "upload_url": format!("{}/upload/v1/{id}", self.base_url), "file_id": id}),
        )
    }

    pub(super) fn upload(&mut self, request: &Request) -> Response {
        let id = request.path.rsplit('/').next().unwrap_or_default();
        let Some(file) = self.files.iter_mut().find(|file| file.id == id) else {
            self.violate("a file is sent to an upload URL that was not given out".to_owned());
            return Response::text(404, "not found");
        };
        if request.body.len() != file.length {
            self.violate("a file is not as long as it was announced".to_owned());
            return Response::text(400, "length mismatch");
        }
        file.bytes = Some(request.body.clone());
        Response::text(200, &format!("OK - {}", request.body.len()))
    }

    pub(super) fn complete_upload(
        &mut self,
        options: &SlackOptions,
        request: &Request,
    ) -> Response {
        let Some(arguments) = arguments(request) else {
            return self.reject(
                "invalid_arguments",
                "the completion of an upload cannot be read",
            );
        };
        let Some(listed) = arguments
            .get("files")
            .and_then(Value::as_array)
            .filter(|files| !files.is_empty())
        else {
            return self.reject("invalid_arguments", "files is not a JSON array of files");
        };
        if arguments
            .get("channel_id")
            .or(arguments.get("channels"))
            .is_none()
        {
            return self.reject(
                "invalid_arguments",
                "an upload is completed without channel_id, so nobody sees the file",
            );
        }
        let Some(channel) = known_channel(options, &arguments, Naming::Id) else {
            return self.reject(
                "channel_not_found",
                "a file is shared to a channel that is not given by the id of one the bot is in",
            );
        };
        let thread_ts = arguments
            .get("thread_ts")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if thread_ts
            .as_deref()
            .is_some_and(|ts| !self.is_root(&channel, ts))
        {
            return self.reject(
                "thread_not_found",
                "thread_ts is not a message of the channel that starts a thread",
            );
        }
        let ids: Vec<&str> = listed
            .iter()
            .filter_map(|file| file["id"].as_str())
            .collect();
        let is_ready = |id: &&str| {
            self.files
                .iter()
                .any(|file| file.id == **id && file.bytes.is_some() && file.channel.is_none())
        };
        if ids.len() < listed.len() || !ids.iter().all(is_ready) {
            return self.reject(
                "file_not_found",
                "an upload is completed whose bytes were not sent, or twice",
            );
        }
        for file in self
            .files
            .iter_mut()
            .filter(|file| ids.contains(&file.id.as_str()))
        {
            file.channel = Some(channel.clone());
            file.thread_ts = thread_ts.clone();
        }
        let comment = arguments
            .get("initial_comment")
            .and_then(Value::as_str)
            .unwrap_or_default();
        self.check_markup(options, &[comment.to_owned()]);
        let shared = Map::from_iter([("text".to_owned(), json!(comment))]);
        self.store(channel, &shared, thread_ts, false);
        if let Some(message) = self.messages.last_mut() {
            message.files = ids.iter().map(|id| (*id).to_owned()).collect();
        }
        let files: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        Response::json(200, &json!({"ok": true, "files": files}))
    }

    pub(super) fn webhook(&mut self, options: &SlackOptions, request: &Request) -> Response {
        if request.path != options.webhook_path {
            self.violate("the webhook URL is not the one that was given out".to_owned());
            return Response::text(404, "no_service");
        }
        let Some(arguments) = arguments(request) else {
            self.violate("the webhook's body is not a JSON object".to_owned());
            return Response::text(400, "invalid_payload");
        };
        if arguments.contains_key("thread_ts") {
            self.violate(
                "the webhook is given thread_ts, but its messages have no ts to answer to"
                    .to_owned(),
            );
        }
        if self.check_content(options, &arguments).is_some() {
            return Response::text(400, "invalid_payload");
        }
        let Some(channel) = options.channels.first() else {
            return Response::text(404, "channel_not_found");
        };
        self.store(channel.id.clone(), &arguments, None, true);
        Response::text(200, "ok")
    }

    /// Checks text and blocks; `Some` when Slack would refuse them.
    fn check_content(
        &mut self,
        options: &SlackOptions,
        arguments: &Map<String, Value>,
    ) -> Option<Response> {
        let text = arguments
            .get("text")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let blocks = arguments.get("blocks").filter(|blocks| !blocks.is_null());
        if text.is_empty() && blocks.is_none() && !arguments.contains_key("markdown_text") {
            return Some(self.reject("no_text", "a message has neither text nor blocks"));
        }
        if text.is_empty() && blocks.is_some() {
            self.violate("a message with blocks has no text for notifications".to_owned());
        }
        if text.chars().count() > TEXT_LIMIT {
            self.violate(format!(
                "a message's text is longer than {TEXT_LIMIT} characters and would be cut"
            ));
        }
        let mut markup = vec![text.to_owned()];
        if let Some(blocks) = blocks {
            let findings = check_blocks(blocks);
            if !findings.problems.is_empty() {
                let error = if findings.too_long {
                    "msg_blocks_too_long"
                } else {
                    "invalid_blocks"
                };
                for problem in &findings.problems {
                    self.violate(problem.clone());
                }
                let body = json!({"ok": false, "error": error, "response_metadata": {"messages": findings.problems}});
                return Some(Response::json(200, &body));
            }
            markup_texts(blocks, &mut markup);
        }
        self.check_markup(options, &markup);
        None
    }

    fn check_markup(&mut self, options: &SlackOptions, texts: &[String]) {
        for text in texts {
            if let Some(found) = options.probe.find(text) {
                self.violate(format!("markup text contains {found} unescaped"));
            }
        }
    }

    fn store(
        &mut self,
        channel: String,
        arguments: &Map<String, Value>,
        thread_ts: Option<String>,
        by_webhook: bool,
    ) -> Message {
        let value = |name: &str| arguments.get(name).cloned().unwrap_or(Value::Null);
        let message = Message {
            channel,
            ts: self.next_ts(),
            thread_ts,
            text: value("text").as_str().unwrap_or_default().to_owned(),
            blocks: value("blocks"),
            metadata: value("metadata"),
            files: Vec::new(),
            updates: 0,
            by_webhook,
        };
        self.messages.push(message.clone());
        message
    }

    fn is_root(&self, channel: &str, ts: &str) -> bool {
        self.messages.iter().any(|message| {
            message.channel == channel && message.ts == ts && message.thread_ts.is_none()
        })
    }

    /// Wall time in microseconds, made unique.
    fn next_ts(&mut self) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_micros() as u64);
        self.last_ts = now.max(self.last_ts + 1);
        format!(
            "{}.{:06}",
            self.last_ts / 1_000_000,
            self.last_ts % 1_000_000
        )
    }
}

/// Slack reports failures with status 200.
pub(super) fn failed(error: &str) -> Response {
    Response::json(200, &json!({"ok": false, "error": error}))
}

/// How a method lets a channel be given.
enum Naming {
    Id,
    IdOrName,
}

fn known_channel(
    options: &SlackOptions,
    arguments: &Map<String, Value>,
    naming: Naming,
) -> Option<String> {
    let given = ["channel", "channel_id", "channels"]
        .iter()
        .find_map(|name| arguments.get(*name)?.as_str())?;
    let fits = |channel: &&Channel| match naming {
        Naming::Id => channel.id == given,
        Naming::IdOrName => channel.id == given || channel.name == given.trim_start_matches('#'),
    };
    options
        .channels
        .iter()
        .find(fits)
        .map(|channel| channel.id.clone())
}

pub(super) fn shown(message: &Message, with_metadata: bool) -> Value {
    let mut shown = json!({"type": "message", "user": "U0HANDOFF", "bot_id": "B0HANDOFF", "ts": message.ts, "text": message.text});
    let mut add = |name: &str, value: &Value| {
        if !value.is_null() {
            shown[name] = value.clone();
        }
    };
    add("blocks", &message.blocks);
    if with_metadata {
        add("metadata", &message.metadata);
    }
    if !message.files.is_empty() {
        let files: Vec<Value> = message.files.iter().map(|id| json!({"id": id})).collect();
        add("files", &json!(files));
    }
    if let Some(thread_ts) = &message.thread_ts {
        add("thread_ts", &json!(thread_ts));
    }
    shown
}
