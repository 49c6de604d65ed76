//! From frames to windows: the media plane of one call.
//!
//! Nothing here allocates per frame or waits. A window is copied once, into a buffer that is used
//! again as soon as the recognizers have let go of what it held.

use bytes::BytesMut;
use handoff_core::audio::{Ear, Sound, WINDOW_SAMPLES};
use handoff_core::call::Event;
use handoff_core::speech::Speaker;
use handoff_core::time::MediaTime;

use crate::recognizer::{Feed, Feeding};

/// Audio between two reports of how far the caller has been heard.
const REPORT_EVERY: u64 = 8_000;

/// Hears one speaker and feeds what is heard to a recognizer.
pub(super) struct Hearing {
    ear: Ear,
    feed: Option<Feed>,
    /// Whether a recognizer is wanted at the first audio. A track that never brings any, as the
    /// voice agent's where we are the media endpoint, needs none.
    wants_feed: bool,
    buffer: BytesMut,
    reported: MediaTime,
    /// Windows that the recognizer was too slow to take.
    pub(super) dropped: u64,
}

impl Hearing {
    pub(super) fn new(speaker: Speaker) -> Self {
        Self {
            ear: Ear::new(speaker),
            feed: None,
            wants_feed: false,
            buffer: BytesMut::new(),
            reported: MediaTime::default(),
            dropped: 0,
        }
    }

    /// Begins a stream whose timestamp 0 lies at `at` on the call's media clock.
    pub(super) fn begin(&mut self, at: MediaTime) {
        self.ear.begin_stream(at);
        self.wants_feed = true;
    }

    /// Whether [`Hearing::feed`] is to be called before the next audio.
    pub(super) fn wants_feed(&self) -> bool {
        self.wants_feed
    }

    /// Gives the stream its recognizer, or tells that there is none.
    pub(super) fn feed(&mut self, feed: Option<Feed>) {
        self.wants_feed = false;
        self.feed = feed;
    }

    /// Takes the audio of one frame in; `told` gets what the call has to know.
    pub(super) fn hear(&mut self, timestamp_ms: u64, mulaw: &[u8], told: &mut impl FnMut(Event)) {
        let Self {
            ear,
            feed,
            buffer,
            reported,
            dropped,
            ..
        } = self;
        let speaker = ear.speaker();
        ear.hear(timestamp_ms, mulaw, &mut |sound| {
            pass_on(sound, speaker, feed.as_ref(), buffer, dropped, told);
        });
        let heard_to = ear.heard_to();
        if speaker == Speaker::Caller && heard_to.0 >= reported.0 + REPORT_EVERY {
            *reported = heard_to;
            told(Event::AudioAdvanced { to: heard_to });
        }
    }

    /// Ends a stream: the last, partial window goes out and the recognizer gets no more.
    pub(super) fn end(&mut self, told: &mut impl FnMut(Event)) {
        let Self {
            ear,
            feed,
            buffer,
            dropped,
            ..
        } = self;
        let speaker = ear.speaker();
        ear.finish(&mut |sound| pass_on(sound, speaker, feed.as_ref(), buffer, dropped, told));
        self.wants_feed = false;
        self.feed = None;
    }

    /// Asks the recognizer for the words it holds back.
    pub(super) fn flush(&mut self) {
        if let Some(feed) = &self.feed
            && !feed.push(Feeding::Flush)
        {
            self.dropped += 1;
        }
    }

    /// The samples that are missing to the next full window.
    pub(super) fn missing(&self) -> usize {
        self.ear.missing()
    }

    pub(super) fn heard_to(&self) -> MediaTime {
        self.ear.heard_to()
    }
}

fn pass_on(
    sound: Sound<'_>,
    speaker: Speaker,
    feed: Option<&Feed>,
    buffer: &mut BytesMut,
    dropped: &mut u64,
    told: &mut impl FnMut(Event),
) {
    match sound {
        Sound::Window { start, mulaw, .. } => {
            let Some(feed) = feed else { return };
            if buffer.capacity() < mulaw.len() {
                // Takes the old memory back if the last window was sent, else makes new.
                buffer.reserve(WINDOW_SAMPLES);
            }
            buffer.extend_from_slice(mulaw);
            let mulaw = buffer.split().freeze();
            if !feed.push(Feeding::Window { start, mulaw }) {
                *dropped += 1;
            }
        }
        Sound::SpeechStarted { at } => told(Event::SpeechStarted { speaker, at }),
        Sound::SpeechEnded { at } => told(Event::SpeechEnded { speaker, at }),
        Sound::Gap { .. } | Sound::Stale => {}
    }
}
