//! The caller: stays for the recorded conversation, then as long as something happens, then hangs up.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::speed::Speed;
use crate::recording::Recording;

/// How much longer than the recording a stream may take to play it.
const MOST_LAG: Duration = Duration::from_secs(30);

/// What the caller does when the recording is at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterRecording {
    /// They hang up.
    HangUp,
    /// They stay while a document is fetched or spoken and while a human is rung or talks, and hang up
    /// when nothing of the kind happened for `grace` of wall time. Streams carry silence meanwhile.
    WaitForHandoff {
        /// How long they stay while nothing happens.
        grace: Duration,
    },
}

/// What the caller notices, and so when they hang up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::carrier) struct CallerView {
    /// A stream has played the recording to its end.
    pub(in crate::carrier) played_out: bool,
    /// Streams that have still to play it, or to come to its end.
    pub(in crate::carrier) playing: usize,
    /// Something is being fetched, spoken or dialled for them, and no bot or silence has them.
    pub(in crate::carrier) busy: bool,
    /// Counts documents, so that a new one is a change.
    pub(in crate::carrier) documents: usize,
}

/// Returns when the caller has waited for long enough and hangs up.
pub(in crate::carrier) async fn patience(
    mut view: watch::Receiver<CallerView>,
    recording: &Recording,
    speed: Speed,
    after_recording: AfterRecording,
    recording_ended: impl FnOnce(),
) {
    let ended = |view: &CallerView| view.played_out && view.playing == 0;
    let nothing_plays = |view: &CallerView| view.playing == 0 && !view.busy;
    // The sender lives as long as the call. A server that stalls a stream does not hold the caller on
    // the line for ever.
    let conversation = speed.wall(recording.duration());
    if timeout(conversation, view.wait_for(ended)).await.is_err() {
        let longest = MOST_LAG.max(recording.duration());
        let over = view.wait_for(|view| ended(view) || nothing_plays(view));
        if timeout(longest, over).await.is_err() {
            tracing::debug!("the caller hangs up before the recording was played to its end");
        }
    }
    recording_ended();
    let AfterRecording::WaitForHandoff { grace } = after_recording else {
        return;
    };
    loop {
        let documents = match view.wait_for(|view| !view.busy).await {
            Ok(view) => view.documents,
            Err(_) => return,
        };
        let quiet = view.wait_for(|view| view.busy || view.documents > documents);
        if timeout(grace, quiet).await.is_err() {
            return;
        }
    }
}
