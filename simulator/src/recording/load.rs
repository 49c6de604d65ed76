//! `call.json`: who calls whom, and the recording as a whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::lines::{self, Line, LineKind};

/// A recorded call, ready to be placed.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Name of the folder.
    pub slug: String,
    /// How the recorded stream stood in the call.
    pub mode: Mode,
    /// `AC…` of the recorded start message.
    pub account_sid: String,
    /// `CA…`, unique per recording.
    pub call_sid: String,
    /// The caller's number.
    pub from: String,
    /// The number that was called.
    pub to: String,
    /// Parameters of the voice webhook beyond the ones every call has.
    pub webhook: BTreeMap<String, String>,
    /// What the stand-in human does when their phone rings.
    pub human: StandIn,
    lines: Vec<Line>,
}

/// How the recorded stream stood in the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A fork of both tracks; no keys and no marks.
    Listen,
    /// A bidirectional stream: the caller's audio, keys and marks.
    Converse,
}

/// What the recording says of the human whose phone may ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandIn {
    /// They pick up.
    Answers,
    /// The phone rings until the carrier gives up.
    NoAnswer,
    /// The line is busy.
    Busy,
    /// Nobody is to be rung in this call; if somebody is, they do not answer.
    None,
}

/// A recording that cannot be played, with the file and line at fault.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// A file is missing or unreadable.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file does not have the documented shape.
    #[error("{}:{line}: {what}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

impl Recording {
    /// A call in which nothing was recorded.
    #[must_use]
    pub fn silent(
        call_sid: impl Into<String>,
        from: impl Into<String>,
        to: impl Into<String>,
    ) -> Self {
        Self {
            slug: String::new(),
            mode: Mode::Listen,
            account_sid: String::new(),
            call_sid: call_sid.into(),
            from: from.into(),
            to: to.into(),
            webhook: BTreeMap::new(),
            human: StandIn::Answers,
            lines: Vec::new(),
        }
    }

    /// Reads and checks the folder of one recorded call.
    ///
    /// # Errors
    ///
    /// [`RecordingError::Read`] when a file is missing, [`RecordingError::Invalid`] with the line when
    /// one is not as the fixture format says.
    pub fn load(directory: &Path) -> Result<Self, RecordingError> {
        let read = |name: &str| {
            let path = directory.join(name);
            std::fs::read_to_string(&path).map_err(|source| RecordingError::Read { path, source })
        };
        let pace = match read("pace.json") {
            Ok(text) => Some(text),
            Err(RecordingError::Read { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                None
            }
            Err(error) => return Err(error),
        };
        Self::parse_in(
            directory,
            &read("call.json")?,
            &read("stream.jsonl")?,
            pace.as_deref(),
        )
    }

    /// Checks a recorded call given as the text of its files.
    ///
    /// # Errors
    ///
    /// [`RecordingError::Invalid`], as [`Recording::load`].
    pub fn parse(call: &str, stream: &str, pace: Option<&str>) -> Result<Self, RecordingError> {
        Self::parse_in(Path::new(""), call, stream, pace)
    }

    /// The same conversation as another call with streams of its own, so that one recording can be
    /// placed many times at once.
    #[must_use]
    pub fn with_call_sid(mut self, call_sid: impl Into<String>) -> Self {
        let call_sid = call_sid.into();
        let mut renamed = (String::new(), String::new());
        for line in &mut self.lines {
            if let (LineKind::Start, Some(recorded)) = (line.kind, lines::stream_sid(&line.raw)) {
                let hash = Sha256::digest(format!("{call_sid}/{recorded}"));
                let hex: String = hash
                    .iter()
                    .take(16)
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                renamed = (recorded, format!("MZ{hex}"));
            }
            line.raw = line.raw.replace(&self.call_sid, &call_sid);
            if !renamed.0.is_empty() {
                line.raw = line.raw.replace(&renamed.0, &renamed.1);
            }
        }
        self.call_sid = call_sid;
        self
    }

    /// The carrier's messages in the order in which they were on the wire.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The id of the recorded stream, unless the recording has no start message.
    #[must_use]
    pub fn first_stream_sid(&self) -> Option<String> {
        let start = self
            .lines
            .iter()
            .find(|line| line.kind == LineKind::Start)?;
        lines::stream_sid(&start.raw)
    }

    /// How long the recorded conversation takes at speed 1, stalls not counted.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.lines.last().map(|line| line.due).unwrap_or_default()
    }

    fn parse_in(
        directory: &Path,
        call: &str,
        stream: &str,
        pace: Option<&str>,
    ) -> Result<Self, RecordingError> {
        let invalid = |name: &str, line: usize, what: String| {
            Err(RecordingError::Invalid {
                path: directory.join(name),
                line,
                what,
            })
        };
        let call: CallFile = match serde_json::from_str(call) {
            Ok(call) => call,
            Err(error) => return invalid("call.json", error.line(), error.to_string()),
        };
        if let Err(what) = call.check() {
            return invalid("call.json", 1, what);
        }
        let stalls: Vec<Stall> = match pace.map(serde_json::from_str).transpose() {
            Ok(stalls) => stalls.unwrap_or_default(),
            Err(error) => return invalid("pace.json", error.line(), error.to_string()),
        };
        let stalls = stalls
            .iter()
            .map(|stall| (stall.line, Duration::from_millis(stall.stall_ms)))
            .collect();
        let lines = match lines::read(stream, &stalls) {
            Ok(lines) => lines,
            Err(bad) => return invalid("stream.jsonl", bad.number, bad.what),
        };
        if call.mode == Mode::Listen
            && let Some(index) = lines
                .iter()
                .position(|line| matches!(line.kind, LineKind::Dtmf | LineKind::Mark))
        {
            let what = "keys and marks exist on bidirectional streams only, and the mode is listen";
            return invalid("stream.jsonl", index + 1, what.into());
        }
        Ok(Self {
            slug: call.slug,
            mode: call.mode,
            account_sid: call.account_sid,
            call_sid: call.call_sid,
            from: call.from,
            to: call.to,
            webhook: call.webhook,
            human: call.human,
            lines,
        })
    }
}

#[derive(Deserialize)]
struct CallFile {
    slug: String,
    carrier: String,
    mode: Mode,
    account_sid: String,
    call_sid: String,
    from: String,
    to: String,
    #[serde(default)]
    webhook: BTreeMap<String, String>,
    human: StandIn,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stall {
    line: usize,
    stall_ms: u64,
}

impl CallFile {
    fn check(&self) -> Result<(), String> {
        if self.carrier != "twilio" {
            return Err(format!(
                "carrier is {:?}; only twilio recordings can be played",
                self.carrier
            ));
        }
        for (name, sid, prefix) in [
            ("account_sid", &self.account_sid, "AC"),
            ("call_sid", &self.call_sid, "CA"),
        ] {
            let hex = sid.strip_prefix(prefix).unwrap_or_default();
            if hex.len() != 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(format!("{name} must be {prefix} and 32 hexadecimal digits"));
            }
        }
        Ok(())
    }
}
