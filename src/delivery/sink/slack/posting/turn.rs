//! What follows from an answer, state by state.

use std::time::Duration;

use bytes::Bytes;
use http::Response;

use super::bot::{Bot, growth, receipt};
use super::state::{Post, Progress, State, label};
use crate::delivery::outcome::{FailureReason, Job, SendFailure, Verdict};
use crate::delivery::sink::progress::saved;
use crate::delivery::sink::slack::requests::Root;
use crate::delivery::sink::slack::thread::{self, Transcript};
use crate::delivery::sink::slack::wire::{
    self, Trouble, WireDone, WireMessages, WirePosted, WireUploadUrl,
};

/// Pages of messages that a search reads before it gives up proving anything.
const PAGES: u8 = 10;
/// Failures of the file upload after which the transcript goes into the thread, shortened.
const FILE_FAILURES: u8 = 3;

/// One answer's circumstances.
pub(super) struct Turn<'a> {
    pub(super) bot: &'a Bot<'a>,
    pub(super) job: &'a Job<'a>,
    pub(super) exactly_once: bool,
}

type Answer = Result<Response<Bytes>, SendFailure>;

impl Turn<'_> {
    pub(super) fn go_on(&self, state: State) -> Verdict {
        Verdict::Continue {
            progress: saved(&Progress {
                exactly_once: self.exactly_once,
                state,
            }),
        }
    }

    fn go_on_unproved(&self, state: State) -> Verdict {
        Verdict::Continue {
            progress: saved(&Progress {
                exactly_once: false,
                state,
            }),
        }
    }

    fn again(&self, after: Option<Duration>, state: State, reason: FailureReason) -> Verdict {
        let progress = Some(saved(&Progress {
            exactly_once: self.exactly_once,
            state,
        }));
        Verdict::Retry {
            after,
            progress,
            reason,
        }
    }

    /// What follows a message that is there.
    fn after(&self, post: Post, ts: Option<(String, String)>) -> Verdict {
        match post {
            Post::Card { plain: _ } => match ts {
                Some((channel, ts)) => self.transcript(Root { channel, ts }),
                None => self.go_on(State::Due { post }),
            },
            Post::End { root } => self.transcript(root),
            Post::Transcript {
                root,
                index,
                shortened,
            } => {
                if index + 1 < self.bot.texts(self.job, shortened).len() {
                    let post = Post::Transcript {
                        root,
                        index: index + 1,
                        shortened,
                    };
                    self.go_on(State::Due { post })
                } else {
                    self.done(&root)
                }
            }
        }
    }

    fn transcript(&self, root: Root) -> Verdict {
        match thread::transcript(self.job.context, growth(self.job), self.bot.limits) {
            Transcript::Nothing => self.done(&root),
            Transcript::Messages(_) => self.go_on(State::Due {
                post: Post::Transcript {
                    root,
                    index: 0,
                    shortened: false,
                },
            }),
            Transcript::File(_) => self.go_on(State::Reserving { root, failures: 0 }),
        }
    }

    fn done(&self, root: &Root) -> Verdict {
        Verdict::Done(receipt(self.job, root, self.exactly_once))
    }

    pub(super) fn posted(&self, post: Post, since_ms: u64, answer: Answer) -> Verdict {
        let trouble = match wire::read::<WirePosted>(answer) {
            Ok(posted) => return self.after(post, Some((posted.channel, posted.ts))),
            Err(trouble) => trouble,
        };
        match trouble {
            Trouble::NotActed { after, reason } => self.again(after, State::Due { post }, reason),
            Trouble::Unknown { after, reason } => {
                self.again(after, State::Posting { post, since_ms }, reason)
            }
            Trouble::Sink(reason) => Verdict::DisableSink(reason),
            Trouble::Content(reason) => match post {
                Post::Card { plain: false } => self.go_on(State::Due {
                    post: Post::Card { plain: true },
                }),
                Post::Card { plain: true } | Post::End { .. } | Post::Transcript { .. } => {
                    Verdict::Dead(reason)
                }
            },
            // Without the permission to post nothing can be delivered at all.
            Trouble::NotPermitted(reason) => Verdict::DisableSink(reason),
            Trouble::Absent(reason) | Trouble::Refused(reason) => Verdict::Dead(reason),
        }
    }

    pub(super) fn searched(
        &self,
        post: Post,
        since_ms: u64,
        cursor: Option<String>,
        pages: u8,
        answer: Answer,
    ) -> Verdict {
        let page = match wire::read::<WireMessages>(answer) {
            Ok(page) => page,
            Err(trouble) => {
                let state = State::Searching {
                    post: post.clone(),
                    since_ms,
                    cursor,
                    pages,
                };
                return self.search_failed(trouble, state, State::Due { post });
            }
        };
        let label = label(self.job.context, &post);
        let ours = page.messages.iter().find(|message| {
            message.metadata.as_ref().is_some_and(|metadata| {
                label.is(
                    metadata.event_type.as_deref(),
                    metadata.event_payload.as_ref(),
                )
            })
        });
        if let Some(message) = ours {
            return self.after(
                post,
                Some((self.bot.channel.to_owned(), message.ts.clone())),
            );
        }
        match next_page(&page, pages) {
            Next::Page(cursor) => {
                let cursor = Some(cursor);
                self.go_on(State::Searching {
                    post,
                    since_ms,
                    cursor,
                    pages: pages + 1,
                })
            }
            Next::End => self.go_on(State::Due { post }),
            Next::Unknown => self.go_on_unproved(State::Due { post }),
        }
    }

    /// A search that cannot be made leaves only the repeat, and the receipt says so.
    fn search_failed(&self, trouble: Trouble, again: State, repeat: State) -> Verdict {
        match trouble {
            Trouble::NotActed { after, reason } | Trouble::Unknown { after, reason } => {
                self.again(after, again, reason)
            }
            Trouble::Sink(FailureReason::Unauthorized) => {
                Verdict::DisableSink(FailureReason::Unauthorized)
            }
            // A channel given by name can be posted to and not be searched.
            Trouble::Sink(_)
            | Trouble::NotPermitted(_)
            | Trouble::Content(_)
            | Trouble::Absent(_)
            | Trouble::Refused(_) => self.go_on_unproved(repeat),
        }
    }

    pub(super) fn replaced(&self, root: Root, answer: Answer) -> Verdict {
        let next = State::Due {
            post: Post::End { root: root.clone() },
        };
        match wire::read::<WireDone>(answer) {
            Ok(WireDone {}) => self.go_on(next),
            Err(Trouble::NotActed { after, reason } | Trouble::Unknown { after, reason }) => {
                self.again(after, State::Replacing { root }, reason)
            }
            Err(Trouble::Sink(reason)) => Verdict::DisableSink(reason),
            // The card stays as it was; the thread still says how it ended.
            Err(
                Trouble::NotPermitted(_)
                | Trouble::Content(_)
                | Trouble::Absent(_)
                | Trouble::Refused(_),
            ) => self.go_on(next),
        }
    }

    pub(super) fn reserved(&self, root: Root, failures: u8, answer: Answer) -> Verdict {
        match wire::read::<WireUploadUrl>(answer) {
            Ok(WireUploadUrl {
                upload_url: url,
                file_id: file,
            }) => self.go_on(State::Storing {
                root,
                failures,
                file,
                url,
            }),
            Err(trouble) => self.file_failed(root, failures, trouble),
        }
    }

    pub(super) fn stored(&self, root: Root, failures: u8, file: String, answer: Answer) -> Verdict {
        match wire::read_upload(answer) {
            Ok(()) => self.go_on(State::Stored { root, file }),
            Err(trouble) => self.file_failed(root, failures, trouble),
        }
    }

    /// What is not shown to anybody may be uploaded again, to a new URL. After some failures the
    /// transcript's end goes into the thread.
    fn file_failed(&self, root: Root, failures: u8, trouble: Trouble) -> Verdict {
        let instead = Post::Transcript {
            root: root.clone(),
            index: 0,
            shortened: true,
        };
        match trouble {
            Trouble::NotActed { after, reason } => {
                self.again(after, State::Reserving { root, failures }, reason)
            }
            Trouble::Unknown { after, reason } if failures + 1 < FILE_FAILURES => self.again(
                after,
                State::Reserving {
                    root,
                    failures: failures + 1,
                },
                reason,
            ),
            Trouble::Unknown { .. }
            | Trouble::Sink(_)
            | Trouble::NotPermitted(_)
            | Trouble::Content(_)
            | Trouble::Absent(_)
            | Trouble::Refused(_) => self.go_on(State::Due { post: instead }),
        }
    }

    pub(super) fn shared(
        &self,
        root: Root,
        file: String,
        since_ms: u64,
        answer: Answer,
    ) -> Verdict {
        match wire::read::<WireDone>(answer) {
            Ok(WireDone {}) => self.done(&root),
            Err(Trouble::NotActed { after, reason }) => {
                self.again(after, State::Stored { root, file }, reason)
            }
            Err(Trouble::Unknown { after, reason }) => self.again(
                after,
                State::Sharing {
                    root,
                    file,
                    since_ms,
                },
                reason,
            ),
            Err(
                Trouble::Sink(_)
                | Trouble::NotPermitted(_)
                | Trouble::Content(_)
                | Trouble::Absent(_)
                | Trouble::Refused(_),
            ) => self.go_on(State::Due {
                post: Post::Transcript {
                    root,
                    index: 0,
                    shortened: true,
                },
            }),
        }
    }

    pub(super) fn searched_file(
        &self,
        root: Root,
        file: String,
        since_ms: u64,
        cursor: Option<String>,
        pages: u8,
        answer: Answer,
    ) -> Verdict {
        let repeat = State::Stored {
            root: root.clone(),
            file: file.clone(),
        };
        let page = match wire::read::<WireMessages>(answer) {
            Ok(page) => page,
            Err(trouble) => {
                let state = State::SearchingFile {
                    root,
                    file,
                    since_ms,
                    cursor,
                    pages,
                };
                return self.search_failed(trouble, state, repeat);
            }
        };
        let mut files = page.messages.iter().flat_map(|message| &message.files);
        if files.any(|shown| shown.id.as_deref() == Some(&file)) {
            return self.done(&root);
        }
        match next_page(&page, pages) {
            Next::Page(cursor) => {
                let (cursor, pages) = (Some(cursor), pages + 1);
                self.go_on(State::SearchingFile {
                    root,
                    file,
                    since_ms,
                    cursor,
                    pages,
                })
            }
            // The file may show up after the call that shares it (UNCONFIRMED), so that its
            // absence proves nothing.
            Next::End | Next::Unknown => self.go_on_unproved(repeat),
        }
    }
}

/// What follows a page without our message.
enum Next {
    Page(String),
    End,
    Unknown,
}

fn next_page(page: &WireMessages, pages: u8) -> Next {
    let cursor = page
        .response_metadata
        .as_ref()
        .and_then(|metadata| metadata.next_cursor.clone())
        .filter(|cursor| !cursor.is_empty());
    match cursor {
        Some(_) if pages >= PAGES => Next::Unknown,
        Some(cursor) => Next::Page(cursor),
        None if page.has_more => Next::Unknown,
        None => Next::End,
    }
}
