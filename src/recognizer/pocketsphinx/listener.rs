//! The thread that listens to one speaker.

use std::sync::Arc;

use handoff_core::audio::mulaw;
use handoff_core::pii::Pii;
use handoff_core::speech::{Hypothesis, Speaker};
use handoff_core::time::MediaTime;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::endpoint::{Cut, Endpointer};
use super::error::PocketSphinxError;
use super::library::{Decoder, Library};
use super::model::ModelFiles;
use super::upsample::Upsampler;
use crate::recognizer::{Feeding, Feedings, Heard, LostReason};

/// How often interim words are read while somebody speaks.
const INTERIM_EVERY: u64 = MediaTime::from_millis(300).0;

/// A one-pass decoder gives no posterior: half says that nothing is known.
const CONFIDENCE: f32 = 0.5;

/// Why a listener stops before its feed is dropped.
enum Stop {
    /// The call does not read any more.
    CallGone,
    /// The library failed.
    Failed(PocketSphinxError),
}

impl From<PocketSphinxError> for Stop {
    fn from(error: PocketSphinxError) -> Self {
        Self::Failed(error)
    }
}

/// Listens until the feed is dropped or the call has stopped reading. Blocks; runs on a thread of
/// its own.
pub(super) fn listen(
    library: &Arc<Library>,
    models: &ModelFiles,
    speaker: Speaker,
    feed: Feedings,
    heard: &mpsc::Sender<Heard>,
) {
    let stopped = Decoder::new(library, models)
        .map_err(Stop::from)
        .and_then(|decoder| Listener::new(speaker, decoder, heard).run(feed));
    match stopped {
        Ok(()) => {}
        Err(Stop::CallGone) => tracing::debug!("call does not listen to its recognizer"),
        Err(Stop::Failed(error)) => {
            tracing::error!(%error, "embedded recognizer failed");
            let reason = LostReason::Failed;
            if heard
                .blocking_send(Heard::Lost { speaker, reason })
                .is_err()
            {
                tracing::debug!("call does not listen to its recognizer");
            }
        }
    }
}

struct Listener<'a> {
    endpointer: Endpointer,
    hearing: Hearing<'a>,
    samples: Vec<i16>,
}

impl<'a> Listener<'a> {
    fn new(speaker: Speaker, decoder: Decoder, heard: &'a mpsc::Sender<Heard>) -> Self {
        Self {
            endpointer: Endpointer::new(),
            hearing: Hearing {
                speaker,
                decoder,
                heard,
                upsampler: Upsampler::new(),
                wide: Vec::new(),
                utterance: None,
            },
            samples: Vec::new(),
        }
    }

    fn run(mut self, mut feed: Feedings) -> Result<(), Stop> {
        while let Some(feeding) = feed.blocking_recv() {
            match feeding {
                Feeding::Window { start, mulaw } => self.hear(start, &mulaw)?,
                Feeding::Flush => self.hearing.flush(self.endpointer.end())?,
            }
        }
        self.hearing.flush(self.endpointer.end())
    }

    fn hear(&mut self, start: MediaTime, codes: &[u8]) -> Result<(), Stop> {
        let mut outcome = Ok(());
        let mut take = |cut: Cut<'_>| {
            if outcome.is_ok() {
                outcome = self.hearing.take(cut);
            }
        };
        if start != self.endpointer.end() {
            self.endpointer.jump(start, &mut take);
        }
        self.samples.clear();
        self.samples
            .extend(codes.iter().copied().map(mulaw::decode));
        self.endpointer.push(&self.samples, &mut take);
        outcome?;
        self.hearing.read_interim(self.endpointer.end())
    }
}

/// One speaker's words on their way from the decoder to the call.
struct Hearing<'a> {
    speaker: Speaker,
    decoder: Decoder,
    heard: &'a mpsc::Sender<Heard>,
    upsampler: Upsampler,
    wide: Vec<i16>,
    utterance: Option<Utterance>,
}

/// What is known of the utterance that is being heard.
struct Utterance {
    start: MediaTime,
    /// Up to where the words were last read.
    read_to: MediaTime,
    words: String,
}

impl Hearing<'_> {
    fn take(&mut self, cut: Cut<'_>) -> Result<(), Stop> {
        match cut {
            Cut::Opened { start, samples } => {
                self.begin(start)?;
                self.decode(samples)
            }
            Cut::Continued { samples } => self.decode(samples),
            Cut::Closed { at } => self.settle(at, true),
        }
    }

    fn begin(&mut self, start: MediaTime) -> Result<(), Stop> {
        self.upsampler.restart();
        self.decoder.begin()?;
        self.utterance = Some(Utterance {
            start,
            read_to: start,
            words: String::new(),
        });
        Ok(())
    }

    fn decode(&mut self, samples: &[i16]) -> Result<(), Stop> {
        self.wide.clear();
        self.upsampler.push(samples, &mut self.wide);
        Ok(self.decoder.hear(&self.wide)?)
    }

    /// Tells the words so far if they have changed. An interim that the call has no room for is
    /// dropped: the next one holds all of it.
    fn read_interim(&mut self, now: MediaTime) -> Result<(), Stop> {
        let Some(utterance) = &mut self.utterance else {
            return Ok(());
        };
        if now.0.saturating_sub(utterance.read_to.0) < INTERIM_EVERY {
            return Ok(());
        }
        utterance.read_to = now;
        let words = self.decoder.words();
        if words.is_empty() || words == utterance.words {
            return Ok(());
        }
        utterance.words.clone_from(&words);
        let start = utterance.start;
        match self
            .heard
            .try_send(self.hypothesis(words, start, now, None))
        {
            Ok(()) | Err(TrySendError::Full(_)) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(Stop::CallGone),
        }
    }

    /// Ends the utterance at `at` and tells its words as final.
    fn settle(&mut self, at: MediaTime, ends_utterance: bool) -> Result<(), Stop> {
        let Some(utterance) = self.utterance.take() else {
            return Ok(());
        };
        self.decoder.end()?;
        let words = self.decoder.words();
        if words.is_empty() {
            return Ok(());
        }
        let speaker = self.speaker;
        let hypothesis = self.hypothesis(words, utterance.start, at, Some(ends_utterance));
        self.tell(hypothesis)?;
        if ends_utterance {
            self.tell(Heard::UtteranceEnded { speaker, at })?;
        }
        Ok(())
    }

    /// Settles what was heard up to `now`, though the speaker may be in the middle of a sentence.
    fn flush(&mut self, now: MediaTime) -> Result<(), Stop> {
        if self.utterance.is_none() {
            return Ok(());
        }
        self.settle(now, false)?;
        self.begin(now)
    }

    fn hypothesis(
        &self,
        words: String,
        start: MediaTime,
        end: MediaTime,
        settled: Option<bool>,
    ) -> Heard {
        Heard::Hypothesis(Box::new(Hypothesis {
            speaker: self.speaker,
            text: Pii::new(words),
            start,
            end,
            confidence: CONFIDENCE,
            is_final: settled.is_some(),
            ends_utterance: settled == Some(true),
            approximate: true,
        }))
    }

    fn tell(&self, heard: Heard) -> Result<(), Stop> {
        self.heard.blocking_send(heard).map_err(|_| Stop::CallGone)
    }
}
