//! Whichever recognizer the configuration chose.

use std::pin::Pin;
use std::sync::Arc;

use handoff_core::id::CarrierCallId;
use handoff_core::speech::Speaker;
use tokio::sync::mpsc;
use tracing::warn;

use super::deepgram::{self, DeepgramOptions, Leg};
use super::pocketsphinx::PocketSphinx;
use super::{Feed, Heard};
use crate::egress::Egress;

/// A recognition under way. It ends by itself soon after its feed is dropped.
pub type Recognition = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The recognizer of this process.
#[derive(Clone)]
pub enum Recognizers {
    /// Deepgram, one socket a speaker.
    Deepgram(Arc<DeepgramOptions>, Egress),
    /// The embedded phrase spotter, one thread a speaker.
    PocketSphinx(PocketSphinx),
    /// Nobody.
    None,
}

impl Recognizers {
    /// Starts to recognize one speaker of a call. `None` if there is nobody to do it, which the
    /// call is told if somebody should have been there.
    pub fn start(
        &self,
        speaker: Speaker,
        call: &CarrierCallId,
        heard: mpsc::Sender<Heard>,
    ) -> Option<(Feed, Recognition)> {
        let (feed, receiver) = Feed::new();
        match self {
            Self::Deepgram(options, egress) => {
                let leg = Leg {
                    speaker,
                    carrier_call: call.clone(),
                };
                let (options, egress) = (Arc::clone(options), egress.clone());
                let recognition = deepgram::start(options, egress, leg, receiver, heard);
                Some((feed, Box::pin(recognition)))
            }
            Self::PocketSphinx(sphinx) => match sphinx.start(speaker, receiver, heard.clone()) {
                Ok(()) => Some((feed, Box::pin(std::future::ready(())))),
                Err(error) => {
                    warn!(%error, "a speaker is not listened to");
                    let reason = error.lost_reason();
                    // The channel holds more than a call's speakers, and none has spoken yet.
                    if heard.try_send(Heard::Lost { speaker, reason }).is_err() {
                        warn!("a call could not be told that nobody listens");
                    }
                    None
                }
            },
            Self::None => None,
        }
    }

    /// The word for the recognizer in logs and for operators.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Deepgram(..) => "deepgram",
            Self::PocketSphinx(_) => "pocketsphinx (approximate)",
            Self::None => "none",
        }
    }
}

impl std::fmt::Debug for Recognizers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
