//! What a recognizer is told before it starts: the results it plays and the faults it commits.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whose voice a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The person who called.
    Caller,
    /// The bot that answered.
    VoiceAgent,
}

impl Speaker {
    /// The word used in `extra=speaker:…`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::VoiceAgent => "voice_agent",
        }
    }
}

impl FromStr for Speaker {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "caller" => Ok(Self::Caller),
            "voice_agent" => Ok(Self::VoiceAgent),
            _ => Err(()),
        }
    }
}

/// One line of `hypotheses.jsonl`: a server message and the media time at which it leaves.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Whose stream the message belongs to.
    pub speaker: Speaker,
    /// Milliseconds of that speaker's audio that must have arrived first.
    pub at_ms: u64,
    /// A Deepgram server message: `Results`, `SpeechStarted` or `UtteranceEnd`.
    pub message: Value,
}

/// Everything the recognizer says in one call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallResults {
    /// Matched against `extra=call:…`.
    pub call_sid: String,
    /// Lines in any order.
    pub lines: Vec<Line>,
}

/// A recorded call's results cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// A file is missing or unreadable.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not what the fixture contract says.
    #[error("{path}: line {line} is not valid")]
    Parse {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl CallResults {
    /// Parses the lines of a `hypotheses.jsonl`; empty lines are skipped.
    ///
    /// # Errors
    /// [`ResultsError::Parse`] with the number of the first bad line; `path` only names the source.
    pub fn parse(call_sid: &str, path: &str, jsonl: &str) -> Result<Self, ResultsError> {
        let numbered = jsonl
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        let lines = numbered
            .map(|(index, line)| {
                serde_json::from_str(line).map_err(|source| ResultsError::Parse {
                    path: path.to_owned(),
                    line: index + 1,
                    source,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            call_sid: call_sid.to_owned(),
            lines,
        })
    }

    /// Reads `call.json` and `hypotheses.jsonl` of a recorded call.
    ///
    /// # Errors
    /// [`ResultsError`] naming the file.
    pub fn read(directory: &Path) -> Result<Self, ResultsError> {
        #[derive(Deserialize)]
        struct Call {
            call_sid: String,
        }
        let (call_path, call) = read(&directory.join("call.json"))?;
        let call: Call = serde_json::from_str(&call).map_err(|source| ResultsError::Parse {
            path: call_path,
            line: source.line(),
            source,
        })?;
        let (path, jsonl) = read(&directory.join("hypotheses.jsonl"))?;
        Self::parse(&call.call_sid, &path, &jsonl)
    }
}

fn read(path: &Path) -> Result<(String, String), ResultsError> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((name, text)),
        Err(source) => Err(ResultsError::Read { path: name, source }),
    }
}

/// Something a recognizer does wrong on purpose, to the next connections it fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Only streams of this speaker; any when `None`.
    pub speaker: Option<Speaker>,
    /// What happens.
    pub kind: FaultKind,
    /// How many connections it happens to before the fault is used up.
    pub times: u32,
}

/// What a [`Fault`] does; `after_ms` counts the audio of that connection.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultKind {
    /// Answers the upgrade with an HTTP error: 400, 401, 402, 403, 429 or 5xx.
    Refuse {
        /// Status code.
        status: u16,
    },
    /// Closes the socket with a code: 1008 and 1011 carry Deepgram's reasons.
    Close {
        /// Close code.
        code: u16,
        /// Milliseconds of audio before it; 0 closes at once.
        after_ms: u64,
    },
    /// Stops reading and says nothing more; the connection stays open.
    Stall {
        /// Milliseconds of audio before it.
        after_ms: u64,
    },
    /// Resets the TCP connection without a close frame.
    Cut {
        /// Milliseconds of audio before it.
        after_ms: u64,
    },
    /// Sends one text message that is not JSON, then goes on as usual.
    MalformedJson {
        /// Milliseconds of audio before it.
        after_ms: u64,
    },
    /// Leaves out `is_final`, `speech_final` and `from_finalize` wherever they are false, as the
    /// schema allows.
    OmitOptional,
}

impl Fault {
    /// Happens once, to the next connection of any speaker.
    pub fn once(kind: FaultKind) -> Self {
        Self {
            speaker: None,
            kind,
            times: 1,
        }
    }

    /// Restricts the fault to one speaker's streams.
    #[must_use]
    pub fn on(mut self, speaker: Speaker) -> Self {
        self.speaker = Some(speaker);
        self
    }

    /// Repeats the fault on that many connections.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }
}

/// A fault written on a command line cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a fault; write {FAULT_GRAMMAR}")]
pub struct ParseFaultError(String);

/// How faults are written on a command line.
pub const FAULT_GRAMMAR: &str = "[caller:|voice_agent:]KIND[*TIMES] with KIND one of \
     refuse=STATUS, close=CODE@MS, stall@MS, cut@MS, malformed@MS, omit-optional";

impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, ParseFaultError> {
        parse_fault(text).ok_or_else(|| ParseFaultError(text.to_owned()))
    }
}

fn parse_fault(text: &str) -> Option<Fault> {
    let (speaker, rest) = match text.split_once(':') {
        Some((word, rest)) => (Some(word.parse().ok()?), rest),
        None => (None, text),
    };
    let (rest, times) = match rest.split_once('*') {
        Some((rest, times)) => (rest, times.parse().ok()?),
        None => (rest, 1),
    };
    let (name, after_ms) = match rest.split_once('@') {
        Some((name, after_ms)) => (name, after_ms.parse().ok()?),
        None => (rest, 0),
    };
    let kind = match name.split_once('=') {
        Some(("refuse", status)) => FaultKind::Refuse {
            status: status.parse().ok()?,
        },
        Some(("close", code)) => FaultKind::Close {
            code: code.parse().ok()?,
            after_ms,
        },
        Some(_) => return None,
        None => match name {
            "stall" => FaultKind::Stall { after_ms },
            "cut" => FaultKind::Cut { after_ms },
            "malformed" => FaultKind::MalformedJson { after_ms },
            "omit-optional" => FaultKind::OmitOptional,
            _ => return None,
        },
    };
    Some(Fault {
        speaker,
        kind,
        times,
    })
}

/// How fast audio may come.
///
/// Deepgram takes at most about 1.25 times real time (developers.deepgram.com, recovering from
/// connection errors when live streaming, read 2026-11-21).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Speed of the replay: 1.0 is real time, 4.0 plays a call in a quarter of it.
    pub speed: f64,
    /// Audio that may be ahead of the limit before it counts as too fast.
    pub allowance: Duration,
}

/// How a [`Recognizer`](super::Recognizer) behaves; [`Default`] is a well-behaved one on a free port.
#[derive(Debug, Clone)]
pub struct RecognizerOptions {
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The only key it accepts.
    pub api_key: String,
    /// What it says in which call; other calls hear nothing.
    pub results: Vec<CallResults>,
    /// Faults, tried in order on each connection; the first that fits and is not used up happens.
    pub faults: Vec<Fault>,
    /// Silence of the client after which the socket is closed with NET-0001.
    pub idle_timeout: Duration,
    /// Records a violation when audio comes faster than this for long; `None` does not look.
    pub enforce_pace: Option<Pace>,
    /// Keeps all audio, to recognize what a reconnecting client plays again and for
    /// [`Recognizer::audio`](super::Recognizer::audio).
    pub keep_audio: bool,
}

impl Default for RecognizerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            api_key: "dg-test-key".to_owned(),
            results: Vec::new(),
            faults: Vec::new(),
            idle_timeout: Duration::from_secs(10),
            enforce_pace: None,
            keep_audio: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_from_their_written_form() {
        let close = Fault {
            speaker: Some(Speaker::Caller),
            kind: FaultKind::Close {
                code: 1011,
                after_ms: 2500,
            },
            times: 2,
        };
        assert_eq!("caller:close=1011@2500*2".parse(), Ok(close));
        assert_eq!(
            "refuse=429".parse(),
            Ok(Fault::once(FaultKind::Refuse { status: 429 }))
        );
        assert_eq!(
            "cut@100".parse(),
            Ok(Fault::once(FaultKind::Cut { after_ms: 100 }))
        );
    }

    #[test]
    fn unknown_faults_are_refused() {
        for text in ["", "explode", "close=x@1", "human:cut@1", "cut@1*many"] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_bad_line_is_named() {
        let error =
            CallResults::parse("CA1", "hypotheses.jsonl", "\n{\"speaker\":\"human\"}").unwrap_err();
        assert_eq!(error.to_string(), "hypotheses.jsonl: line 2 is not valid");
    }
}
