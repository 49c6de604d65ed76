//! The `sinks` command.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::Context;
use serde_json::{Value, json};

use super::fault::{FAULT_GRAMMAR, RequestLine, SinkFault};
use super::slack::{self, Channel, Probe, Slack, SlackOptions};
use super::zendesk::{self, Zendesk, ZendeskOptions};
use crate::command::{Form, announce, conclude, follow, until_stopped};

/// Stands in for Zendesk and Slack.
///
/// Starts one HTTP server for each, keeps what they are sent and checks it against the vendors' rules:
/// credentials, required fields, sizes, idempotency keys, upload tokens, threads. The first two lines of
/// output are `{"event":"listening","service":"zendesk","url":…}` and the same for `slack`, which also
/// has `api_url` and `webhook_url`; give the URLs to handoff as base URLs. Then one line for every request. The command
/// ends when its standard input closes or on SIGINT or SIGTERM: it prints the violations and exits with
/// 1 if there were any, else with 0.
///
/// Example: handoff-simulator sinks --listen 127.0.0.1:7002 --zendesk-fault create-ticket:cut-after
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of Zendesk; Slack takes the next port. Port 0 picks free ones.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    listen: SocketAddr,
    /// OAuth client that may ask for access tokens.
    #[arg(long, default_value = "handoff_test", value_name = "ID")]
    zendesk_client_id: String,
    /// Its secret.
    #[arg(long, default_value = "zendesk-test-secret", value_name = "SECRET")]
    zendesk_client_secret: String,
    /// E-mail address that goes with the legacy API token.
    #[arg(long, default_value = "integration@example.com", value_name = "EMAIL")]
    zendesk_email: String,
    /// Legacy API token.
    #[arg(long, default_value = "zendesk-test-token", value_name = "TOKEN")]
    zendesk_api_token: String,
    /// Misbehave at Zendesk; may be repeated. `--help` tells the grammar.
    #[arg(long = "zendesk-fault", value_name = "FAULT", long_help = zendesk_fault_help())]
    zendesk_faults: Vec<SinkFault<zendesk::Route>>,
    /// The bot's token at Slack.
    #[arg(long, default_value = "xoxb-slack-test-token", value_name = "TOKEN")]
    slack_bot_token: String,
    /// Path of Slack's incoming webhook.
    #[arg(
        long,
        default_value = "/services/T0HANDOFF/B0HANDOFF/webhook-test-secret",
        value_name = "PATH"
    )]
    slack_webhook_path: String,
    /// Channels the bot is in, as ID or ID=NAME; may be repeated.
    #[arg(
        long = "slack-channel",
        default_value = "C0HANDOFF1=handoffs",
        value_name = "CHANNEL"
    )]
    slack_channels: Vec<NamedChannel>,
    /// Links that begin so are handoff's own and may stand unescaped in markup; may be repeated.
    #[arg(long = "slack-own-link", value_name = "PREFIX")]
    slack_own_links: Vec<String>,
    /// Misbehave at Slack; may be repeated. `--help` tells the grammar.
    #[arg(long = "slack-fault", value_name = "FAULT", long_help = slack_fault_help())]
    slack_faults: Vec<SinkFault<slack::Route>>,
    /// Print every ticket and message when the command ends.
    #[arg(long)]
    show: bool,
    /// Print events as JSON, one object a line.
    #[arg(long)]
    json: bool,
}

fn zendesk_fault_help() -> String {
    format!(
        "Misbehave at Zendesk; may be repeated and is used up in order.\n\n{FAULT_GRAMMAR}, and ROUTE one of token, \
         upload, create-ticket, update-ticket, list-tickets, list-comments, me.\n\nExample: create-ticket:429@7*2"
    )
}

fn slack_fault_help() -> String {
    format!(
        "Misbehave at Slack; may be repeated and is used up in order.\n\n{FAULT_GRAMMAR}, and ROUTE one of \
         post-message, update-message, history, replies, get-upload-url, upload, complete-upload, auth-test, \
         webhook.\n\nExample: post-message:cut-after"
    )
}

/// A channel as written on the command line.
#[derive(Debug, Clone)]
struct NamedChannel(Channel);

impl FromStr for NamedChannel {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, name) = text.split_once('=').unwrap_or((text, text));
        Ok(Self(Channel {
            id: id.to_owned(),
            name: name.to_owned(),
        }))
    }
}

/// Runs the command to its end.
///
/// # Errors
/// An address cannot be bound.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let zendesk = Zendesk::start(ZendeskOptions {
        listen: args.listen,
        client_id: args.zendesk_client_id,
        client_secret: args.zendesk_client_secret,
        email: args.zendesk_email,
        api_token: args.zendesk_api_token,
        faults: args.zendesk_faults,
        ..ZendeskOptions::default()
    });
    let zendesk = zendesk
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let mut listen = args.listen;
    if listen.port() != 0 {
        listen.set_port(
            listen
                .port()
                .checked_add(1)
                .context("there is no port after that of --listen")?,
        );
    }
    let slack = Slack::start(SlackOptions {
        listen,
        bot_token: args.slack_bot_token,
        webhook_path: args.slack_webhook_path,
        channels: args
            .slack_channels
            .into_iter()
            .map(|NamedChannel(channel)| channel)
            .collect(),
        probe: Probe {
            own_links: args.slack_own_links,
            ..Probe::default()
        },
        faults: args.slack_faults,
    });
    let slack = slack
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    announce("zendesk", &zendesk.url(), &[]);
    announce(
        "slack",
        &slack.url(),
        &[
            ("api_url", &slack.api_url()),
            ("webhook_url", &slack.webhook_url()),
        ],
    );

    let form = Form::from_flag(args.json);
    let zendesk_events = follow(zendesk.observed(), form, |state, seen| {
        state
            .requests
            .iter()
            .skip(seen)
            .map(|line| request_event("zendesk", line))
            .collect()
    });
    let slack_events = follow(slack.observed(), form, |state, seen| {
        state
            .requests
            .iter()
            .skip(seen)
            .map(|line| request_event("slack", line))
            .collect()
    });
    tokio::select! {
        () = zendesk_events => {}
        () = slack_events => {}
        stopped = until_stopped() => stopped.context("cannot listen to signals")?,
    }
    if args.show {
        for ticket in zendesk.tickets() {
            form.print(&json!({"event": "ticket", "ticket": ticket}));
        }
        for message in slack.messages() {
            form.print(&json!({"event": "message", "message": message}));
        }
    }
    let mut violations = zendesk.violations();
    violations.extend(slack.violations());
    Ok(conclude(&violations, form))
}

fn request_event(service: &str, line: &RequestLine) -> Value {
    json!({"event": "request", "service": service, "method": line.method, "path": line.path, "status": line.status,
        "fault": line.fault})
}
