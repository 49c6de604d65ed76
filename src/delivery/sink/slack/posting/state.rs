//! Where a delivery stands, as the journal keeps it.

use handoff_core::context::HandoffContext;
use serde::{Deserialize, Serialize};

use crate::delivery::sink::slack::requests::{Label, Root};

/// Where a delivery stands, and whether everything so far is certainly there once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) exactly_once: bool,
    #[serde(flatten)]
    pub(super) state: State,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub(super) enum State {
    /// A message is due, for the first time or again.
    Due { post: Post },
    /// A message was sent.
    Posting { post: Post, since_ms: u64 },
    /// A message is searched for.
    Searching {
        post: Post,
        since_ms: u64,
        cursor: Option<String>,
        pages: u8,
    },
    /// The card is being replaced.
    Replacing { root: Root },
    /// Room for the transcript's file is asked for.
    Reserving { root: Root, failures: u8 },
    /// The file's bytes are on their way.
    Storing {
        root: Root,
        failures: u8,
        file: String,
        url: String,
    },
    /// The file is to be shown in the thread, for the first time or again.
    Stored { root: Root, file: String },
    /// The file was asked to be shown.
    Sharing {
        root: Root,
        file: String,
        since_ms: u64,
    },
    /// The file is searched for in the thread.
    SearchingFile {
        root: Root,
        file: String,
        since_ms: u64,
        cursor: Option<String>,
        pages: u8,
    },
    /// Everything is said.
    Finished { root: Root },
}

/// One message of a delivery.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "post", rename_all = "snake_case")]
pub(super) enum Post {
    /// The card. `plain` is without blocks, after Slack refused them.
    Card { plain: bool },
    /// How the call ended, in the thread.
    End { root: Root },
    /// A message of the transcript, in the thread.
    Transcript {
        root: Root,
        index: usize,
        shortened: bool,
    },
}

/// What a message of the delivery is recognised by.
pub(super) fn label<'a>(context: &'a HandoffContext, post: &Post) -> Label<'a> {
    let part = match post {
        Post::Card { plain: _ } => None,
        Post::End { root: _ } => Some("end".to_owned()),
        Post::Transcript {
            root: _,
            index,
            shortened: false,
        } => Some(format!("transcript-{}", index + 1)),
        Post::Transcript {
            root: _,
            index,
            shortened: true,
        } => Some(format!("excerpt-{}", index + 1)),
    };
    Label {
        handoff_id: &context.trigger.handoff,
        revision: context.revision,
        part,
    }
}
