//! A program that a stage runs beside itself: it says where it listens, then what happens, a line
//! each.

use std::process::Stdio;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

/// A program of the stage. It dies with us.
pub(super) struct Process {
    name: &'static str,
    child: Child,
    pub(super) lines: Lines<BufReader<ChildStdout>>,
    complaints: Option<JoinHandle<Vec<String>>>,
}

impl Process {
    pub(super) fn start(name: &'static str, mut command: Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start the {name}"))?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let complaints = child.stderr.take().map(|stderr| {
            #[expect(
                clippy::disallowed_methods,
                reason = "`Process` owns it and waits for it"
            )]
            tokio::task::spawn(async move {
                let mut lines = BufReader::new(stderr).lines();
                let mut all = Vec::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    all.push(line);
                }
                all
            })
        });
        Ok(Self {
            name,
            child,
            lines: BufReader::new(stdout).lines(),
            complaints,
        })
    }

    /// Reads the line in which a stand-in says where it listens.
    pub(super) async fn listening(&mut self) -> anyhow::Result<Value> {
        let line = self.lines.next_line().await?;
        let line = line.with_context(|| format!("the {} did not start", self.name))?;
        let event = parse(&line)?;
        ensure!(
            event["event"] == "listening",
            "the {} began with {line}",
            self.name
        );
        Ok(event)
    }

    /// Reads the line in which the server says where it listens.
    pub(super) async fn address(&mut self) -> anyhow::Result<String> {
        let line = self
            .lines
            .next_line()
            .await?
            .context("the server did not start")?;
        let address = line.strip_prefix("listening on http://");
        Ok(address
            .with_context(|| format!("the server began with {line}"))?
            .to_owned())
    }

    pub(super) async fn tell(&mut self, text: &str) -> anyhow::Result<()> {
        let stdin = self
            .child
            .stdin
            .as_mut()
            .context("standard input is piped")?;
        stdin.write_all(text.as_bytes()).await?;
        Ok(stdin.flush().await?)
    }

    pub(super) fn terminate(&self) -> anyhow::Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(rustix::process::Pid::from_raw);
        let id = id.with_context(|| format!("the {} ended by itself", self.name))?;
        Ok(rustix::process::kill_process(
            id,
            rustix::process::Signal::TERM,
        )?)
    }

    /// Closes a stand-in's input, which ends it, and reads what it still says.
    pub(super) async fn stop(mut self) -> anyhow::Result<(Vec<Value>, Vec<String>)> {
        drop(self.child.stdin.take());
        let mut events = Vec::new();
        while let Some(line) = self.lines.next_line().await? {
            events.push(parse(&line)?);
        }
        Ok((events, self.end().await?))
    }

    /// Waits for the end. What the program complained of comes back; a failure without a word
    /// becomes one.
    pub(super) async fn end(mut self) -> anyhow::Result<Vec<String>> {
        while self.lines.next_line().await?.is_some() {}
        let status = self.child.wait().await?;
        let mut complaints = match self.complaints {
            Some(complaints) => complaints.await?,
            None => Vec::new(),
        };
        if !status.success() && complaints.is_empty() {
            complaints.push(format!("the {} ended with {status}", self.name));
        }
        Ok(complaints)
    }
}

/// Reads a line as the JSON that every stand-in speaks.
pub(super) fn parse(line: &str) -> anyhow::Result<Value> {
    serde_json::from_str(line).with_context(|| format!("a stand-in said {line}"))
}
