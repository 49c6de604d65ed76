//! Posting with a bot: a card, the transcript in its thread, and at the end of the call the card
//! again with how it ended.
//!
//! `chat.postMessage` has no idempotency. A message is written down as sent before it is, and if
//! its answer is not known the channel or thread is searched for our metadata before it is posted
//! again. Where the search is not permitted or does not come to an end, the message is posted again
//! and the receipt says that it may be there twice. `chat.update` may be repeated freely.

use std::time::Duration;

use bytes::Bytes;
use handoff_core::context::HandoffContext;
use handoff_core::pii::Secret;
use http::{Request, Response};
use serde::{Deserialize, Serialize};

use super::options::SlackLimits;
use super::requests::{Label, Message, Requests, Root};
use super::thread::Transcript;
use super::wire::{self, Trouble, WireDone, WireMessages, WirePosted, WireUploadUrl};
use super::{card, thread};
use crate::delivery::outcome::{FailureReason, Job, Kind, Receipt, SendFailure, Step, Verdict};
use crate::delivery::sink::content::{self, Growth};
use crate::delivery::sink::endpoint::BaseUrl;
use crate::delivery::sink::progress::{Restored, restored, saved};

/// Pages of messages that a search reads before it gives up proving anything.
const PAGES: u8 = 10;
/// Failures of the file upload after which the transcript goes into the thread, shortened.
const FILE_FAILURES: u8 = 3;

/// One bot in one channel.
#[derive(Clone, Copy)]
pub(super) struct Bot<'a> {
    pub(super) base: &'a BaseUrl,
    pub(super) token: &'a Secret,
    pub(super) channel: &'a str,
    pub(super) limits: SlackLimits,
}

/// Where a delivery stands, and whether everything so far is certainly there once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    exactly_once: bool,
    #[serde(flatten)]
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
enum State {
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "post", rename_all = "snake_case")]
enum Post {
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

impl Bot<'_> {
    pub(super) fn step(&self, job: &Job<'_>, progress: Option<&[u8]>) -> Step {
        let Some(Progress {
            exactly_once,
            state,
        }) = self.restored(job, progress)
        else {
            return Step::Fail(FailureReason::NeverOpened);
        };
        let context = job.context;
        let requests = self.requests();
        let send = |state, request| Step::SaveThenSend {
            progress: saved(&Progress {
                exactly_once,
                state,
            }),
            request,
        };
        match state {
            State::Due { post } => match self.message(job, &post) {
                Some(request) => send(
                    State::Posting {
                        post,
                        since_ms: job.now.0,
                    },
                    request,
                ),
                None => Step::Fail(FailureReason::Unreadable),
            },
            // Sent before and not answered, as far as the journal knows.
            State::Posting { post, since_ms } => {
                let request = self.search(&post, since_ms, None);
                send(
                    State::Searching {
                        post,
                        since_ms,
                        cursor: None,
                        pages: 0,
                    },
                    request,
                )
            }
            State::Searching {
                post,
                since_ms,
                cursor,
                pages: _,
            } => Step::Send(self.search(&post, since_ms, cursor.as_deref())),
            State::Replacing { root } => Step::Send(self.replacement(context, &root)),
            State::Reserving {
                root: _,
                failures: _,
            } => {
                let text = self.file(job);
                Step::Send(requests.reserve(&filename(context), text.len()))
            }
            State::Storing {
                root,
                failures: _,
                file: _,
                url,
            } => {
                match requests.store(&url, self.file(job)) {
                    Some(request) => Step::Send(request),
                    // Not a URL to send a transcript to; nothing has been sent to it.
                    None => {
                        let post = Post::Transcript {
                            root,
                            index: 0,
                            shortened: true,
                        };
                        match self.message(job, &post) {
                            Some(request) => send(
                                State::Posting {
                                    post,
                                    since_ms: job.now.0,
                                },
                                request,
                            ),
                            None => Step::Fail(FailureReason::Unreadable),
                        }
                    }
                }
            }
            State::Stored { root, file } => {
                let request =
                    requests.share(&root, &file, &filename(context), "The whole transcript");
                send(
                    State::Sharing {
                        root,
                        file,
                        since_ms: job.now.0,
                    },
                    request,
                )
            }
            State::Sharing {
                root,
                file,
                since_ms,
            } => {
                let request = requests.replies(&root, since_ms, None);
                send(
                    State::SearchingFile {
                        root,
                        file,
                        since_ms,
                        cursor: None,
                        pages: 0,
                    },
                    request,
                )
            }
            State::SearchingFile {
                root,
                file: _,
                since_ms,
                cursor,
                pages: _,
            } => Step::Send(requests.replies(&root, since_ms, cursor.as_deref())),
            State::Finished { root } => Step::Done(receipt(job, &root, exactly_once)),
        }
    }

    pub(super) fn interpret(
        &self,
        job: &Job<'_>,
        progress: Option<&[u8]>,
        answer: Result<Response<Bytes>, SendFailure>,
    ) -> Verdict {
        let Some(Progress {
            exactly_once,
            state,
        }) = self.restored(job, progress)
        else {
            return Verdict::Dead(FailureReason::NeverOpened);
        };
        let turn = Turn {
            bot: self,
            job,
            exactly_once,
        };
        match state {
            // Nothing is sent in these states, so that no answer can belong to them.
            resting @ (State::Due { .. } | State::Stored { .. } | State::Finished { .. }) => {
                turn.go_on(resting)
            }
            State::Posting { post, since_ms } => turn.posted(post, since_ms, answer),
            State::Searching {
                post,
                since_ms,
                cursor,
                pages,
            } => turn.searched(post, since_ms, cursor, pages, answer),
            State::Replacing { root } => turn.replaced(root, answer),
            State::Reserving { root, failures } => turn.reserved(root, failures, answer),
            State::Storing {
                root,
                failures,
                file,
                url: _,
            } => turn.stored(root, failures, file, answer),
            State::Sharing {
                root,
                file,
                since_ms,
            } => turn.shared(root, file, since_ms, answer),
            State::SearchingFile {
                root,
                file,
                since_ms,
                cursor,
                pages,
            } => turn.searched_file(root, file, since_ms, cursor, pages, answer),
        }
    }

    fn requests(&self) -> Requests<'_> {
        Requests::new(self.base, self.token)
    }

    /// The state, or `None` for an update of something that a bot never posted.
    fn restored(&self, job: &Job<'_>, progress: Option<&[u8]>) -> Option<Progress> {
        let first = match job.kind {
            Kind::Open => Post::Card { plain: false },
            Kind::Update { opened } => Post::End {
                root: root_of(opened)?,
            },
        };
        Some(match restored(progress) {
            Restored::Known(progress) => progress,
            Restored::Fresh => Progress {
                exactly_once: true,
                state: match first {
                    Post::End { root } => State::Replacing { root },
                    post @ (Post::Card { .. } | Post::Transcript { .. }) => State::Due { post },
                },
            },
            Restored::Unreadable => Progress {
                exactly_once: true,
                state: State::Posting {
                    post: first,
                    since_ms: job.first_saved.map_or(0, |at| at.0),
                },
            },
        })
    }

    fn message(&self, job: &Job<'_>, post: &Post) -> Option<Request<Bytes>> {
        let label = label(job.context, post);
        let (text, blocks, root) = match post {
            Post::Card { plain } => {
                let blocks = if *plain {
                    Vec::new()
                } else {
                    card::blocks(job.context)
                };
                (card::fallback(job.context), blocks, None)
            }
            Post::End { root } => (thread::end(job.context), Vec::new(), Some(root)),
            Post::Transcript {
                root,
                index,
                shortened,
            } => {
                let texts = self.texts(job, *shortened);
                (texts.into_iter().nth(*index)?, Vec::new(), Some(root))
            }
        };
        let message = Message {
            text: &text,
            blocks: &blocks,
            label: &label,
        };
        Some(match root {
            Some(root) => self.requests().reply(root, &message),
            None => self.requests().post(self.channel, &message),
        })
    }

    fn replacement(&self, context: &HandoffContext, root: &Root) -> Request<Bytes> {
        let label = label(context, &Post::Card { plain: false });
        let (text, blocks) = (card::fallback(context), card::blocks(context));
        self.requests().replace(
            root,
            &Message {
                text: &text,
                blocks: &blocks,
                label: &label,
            },
        )
    }

    fn search(&self, post: &Post, since_ms: u64, cursor: Option<&str>) -> Request<Bytes> {
        match post {
            Post::Card { plain: _ } => self.requests().history(self.channel, since_ms, cursor),
            Post::End { root }
            | Post::Transcript {
                root,
                index: _,
                shortened: _,
            } => self.requests().replies(root, since_ms, cursor),
        }
    }

    fn texts(&self, job: &Job<'_>, shortened: bool) -> Vec<String> {
        let growth = growth(job);
        if shortened {
            return thread::shortened(job.context, growth, self.limits);
        }
        match thread::transcript(job.context, growth, self.limits) {
            Transcript::Messages(texts) => texts,
            Transcript::Nothing | Transcript::File(_) => Vec::new(),
        }
    }

    fn file(&self, job: &Job<'_>) -> String {
        match thread::transcript(job.context, growth(job), self.limits) {
            Transcript::File(text) => text,
            Transcript::Nothing | Transcript::Messages(_) => String::new(),
        }
    }
}

/// One answer's circumstances.
struct Turn<'a> {
    bot: &'a Bot<'a>,
    job: &'a Job<'a>,
    exactly_once: bool,
}

type Answer = Result<Response<Bytes>, SendFailure>;

impl Turn<'_> {
    fn go_on(&self, state: State) -> Verdict {
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

    fn posted(&self, post: Post, since_ms: u64, answer: Answer) -> Verdict {
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

    fn searched(
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

    fn replaced(&self, root: Root, answer: Answer) -> Verdict {
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

    fn reserved(&self, root: Root, failures: u8, answer: Answer) -> Verdict {
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

    fn stored(&self, root: Root, failures: u8, file: String, answer: Answer) -> Verdict {
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

    fn shared(&self, root: Root, file: String, since_ms: u64, answer: Answer) -> Verdict {
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

    fn searched_file(
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

fn label<'a>(context: &'a HandoffContext, post: &Post) -> Label<'a> {
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

fn growth(job: &Job<'_>) -> Growth {
    match job.kind {
        Kind::Open if job.context.transcript.is_empty() => Growth::None,
        Kind::Open => Growth::Rewritten,
        Kind::Update { opened } => content::growth(job.context, &opened.content_sha256),
    }
}

fn filename(context: &HandoffContext) -> String {
    match context.revision {
        0 => "transcript.txt".to_owned(),
        later => format!("transcript-{later}.txt"),
    }
}

/// A receipt names the card as `{channel}/{ts}`.
fn receipt(job: &Job<'_>, root: &Root, exactly_once: bool) -> Receipt {
    Receipt {
        external_id: format!("{}/{}", root.channel, root.ts),
        url: None,
        content_sha256: content::sha256(job.context),
        exactly_once,
        at: job.now,
    }
}

fn root_of(opened: &Receipt) -> Option<Root> {
    let (channel, ts) = opened.external_id.split_once('/')?;
    Some(Root {
        channel: channel.to_owned(),
        ts: ts.to_owned(),
    })
}
