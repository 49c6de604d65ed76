//! What a deployment may choose about Deepgram. Defaults live in the configuration, not here.

use std::time::Duration;

use handoff_core::id::CarrierCallId;
use handoff_core::pii::Secret;
use handoff_core::speech::Speaker;

/// Everything the recognizer needs to know beyond the call itself.
#[derive(Clone, Debug)]
pub struct DeepgramOptions {
    /// Where the API is, for example `https://api.eu.deepgram.com`. `ws` and `wss` are
    /// taken for `http` and `https`, a path is kept as a prefix. No query, no user and password.
    pub base_url: String,
    /// Sent as `Authorization: Token …`.
    pub api_key: Secret,
    /// The model, `nova-3` unless there is a reason.
    pub model: String,
    /// The language as a BCP 47 tag, for example `en-US`.
    pub language: String,
    /// Silence that ends an utterance, in milliseconds; 300 suits a telephone.
    pub endpointing_ms: u32,
    /// Gap between words that ends an utterance where noise hides the silence, in milliseconds.
    /// Deepgram wants at least 1000, because interim hypotheses come about once a second.
    pub utterance_end_ms: u32,
    /// Words and phrases to listen for, the most important first. What does not fit Deepgram's
    /// budget is left out and counted.
    pub keyterms: Vec<String>,
    /// Whether Deepgram is told not to train on the audio.
    pub mip_opt_out: bool,
    /// How long connecting may take, with TLS and the upgrade; 5 s.
    pub connect_deadline: Duration,
    /// How long no audio flows before a `KeepAlive` is sent; 3 to 5 s.
    pub keep_alive: Duration,
    /// How long nothing may come from the server, or it may not read, before the connection
    /// counts as dead; 10 s. At half of it the server is pinged.
    pub answer_deadline: Duration,
    /// How long after the end of the feed the last words are waited for; 5 s.
    pub finish_deadline: Duration,
    /// What to do when connections fail.
    pub reconnect: Reconnect,
    /// What to do with audio that could not be sent.
    pub replay: Replay,
}

/// How connections are tried again.
#[derive(Clone, Copy, Debug)]
pub struct Reconnect {
    /// The wait after the first failure, before jitter; 250 ms. Doubles with every further one.
    pub first: Duration,
    /// The longest wait; 4 s.
    pub max: Duration,
    /// How many failures without an answer between them make the recognizer lost; 4.
    pub lost_after: u32,
}

/// How audio that Deepgram has not recognized yet is kept and sent again.
#[derive(Clone, Copy, Debug)]
pub struct Replay {
    /// How much unsent audio is kept; the oldest is dropped first. 5 s: more would make the
    /// transcript lag for tens of seconds. A recording played at N times its pace passes that N times as
    /// soon.
    pub cap: Duration,
    /// How much of the caller's audio without a final hypothesis is sent again after a break; 800 ms.
    /// Of the other side a quarter of it is: the caller's words decide, and each second is 8 KB in
    /// every call.
    pub rewind: Duration,
    /// How many times faster than real time kept audio is sent. Deepgram takes at most 1.25.
    /// A recording played at N times its pace needs N times that.
    pub rate: f64,
}

impl Replay {
    pub(super) fn rewind_of(&self, speaker: Speaker) -> Duration {
        match speaker {
            Speaker::Caller => self.rewind,
            Speaker::VoiceAgent | Speaker::Human => self.rewind / 4,
        }
    }
}

/// Whose audio of which call.
#[derive(Clone, Debug)]
pub struct Leg {
    /// Who is heard.
    pub speaker: Speaker,
    /// The carrier's name of the call, echoed by Deepgram in its records.
    pub carrier_call: CarrierCallId,
}
