//! What the commands of this package have in common: how they begin, report and end.
//!
//! A command prints one `listening` line in JSON for every service, then a line for every event, until
//! its standard input closes or it is asked to stop. Then it prints the violations and fails if there
//! were any, so that a script needs no more than the exit code.

use std::io::{Read, Write};
use std::process::ExitCode;

use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use crate::witness::Observed;

/// Prints that a service can be reached, and anything else its client has to know.
pub fn announce(service: &str, url: &str, more: &[(&str, &str)]) {
    let mut line = json!({"event": "listening", "service": service, "url": url});
    for (name, value) in more {
        line[*name] = json!(value);
    }
    print_line(&line.to_string());
}

/// Waits until standard input closes, or for SIGINT or SIGTERM.
///
/// # Errors
/// The signals cannot be listened to.
pub async fn until_stopped() -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (closed, input_closed) = tokio::sync::oneshot::channel();
    // A plain thread, because a blocked read on the runtime would keep it from ending.
    std::thread::spawn(move || {
        let mut discard = [0; 1024];
        while std::io::stdin()
            .read(&mut discard)
            .is_ok_and(|read| read > 0)
        {}
        // Nobody listens any more when a signal was first.
        let _ = closed.send(());
    });
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = input_closed => {}
    }
    Ok(())
}

/// Prints every event as it happens, for ever; `take` returns those from the given number on.
pub async fn follow<S>(observed: &Observed<S>, form: Form, take: impl Fn(&S, usize) -> Vec<Value>) {
    let mut seen = 0;
    loop {
        let fresh = observed
            .when(|state| {
                let fresh = take(state, seen);
                (!fresh.is_empty()).then_some(fresh)
            })
            .await;
        seen += fresh.len();
        for event in fresh {
            form.print(&event);
        }
    }
}

/// How events are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One JSON object a line.
    Json,
    /// For people.
    Words,
}

impl Form {
    /// The form that a `--json` flag asks for.
    pub fn from_flag(json: bool) -> Self {
        if json { Self::Json } else { Self::Words }
    }

    /// Prints one event.
    pub fn print(self, event: &Value) {
        match self {
            Self::Json => print_line(&event.to_string()),
            Self::Words => print_line(&words(event)),
        }
    }
}

/// Prints the violations; the exit code says whether there were any.
pub fn conclude(violations: &[String], form: Form) -> ExitCode {
    match form {
        Form::Json => {
            print_line(&json!({"event": "stopped", "violations": violations}).to_string())
        }
        Form::Words if violations.is_empty() => print_line("stopped, no violations"),
        Form::Words => {
            print_line(&format!("stopped, {} violations:", violations.len()));
            for sentence in violations {
                print_line(&format!("  - {sentence}"));
            }
        }
    }
    if violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// `event name=value …`, without the quotes of JSON.
fn words(event: &Value) -> String {
    let mut line = event["event"].as_str().unwrap_or_default().to_owned();
    for (name, value) in event
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "event")
    {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        line.push_str(&format!("  {name}={value}"));
    }
    line
}

/// Prints without panicking when the reader has gone.
pub fn print_line(line: &str) {
    let mut output = std::io::stdout().lock();
    // A reader that has gone cannot be told so.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}
