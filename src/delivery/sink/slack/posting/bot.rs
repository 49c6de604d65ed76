//! The requests of a delivery, state by state.

use bytes::Bytes;
use handoff_core::context::HandoffContext;
use handoff_core::pii::Secret;
use http::{Request, Response};

use super::state::{Post, Progress, State, label};
use super::turn::Turn;
use crate::delivery::outcome::{FailureReason, Job, Kind, Receipt, SendFailure, Step, Verdict};
use crate::delivery::sink::content::{self, Growth};
use crate::delivery::sink::endpoint::BaseUrl;
use crate::delivery::sink::progress::{Restored, restored, saved};
use crate::delivery::sink::slack::card;
use crate::delivery::sink::slack::options::SlackLimits;
use crate::delivery::sink::slack::requests::{Message, Requests, Root};
use crate::delivery::sink::slack::thread::{self, Transcript};

/// One bot in one channel.
#[derive(Clone, Copy)]
pub(in crate::delivery::sink::slack) struct Bot<'a> {
    pub(in crate::delivery::sink::slack) base: &'a BaseUrl,
    pub(in crate::delivery::sink::slack) token: &'a Secret,
    pub(in crate::delivery::sink::slack) channel: &'a str,
    pub(in crate::delivery::sink::slack) limits: SlackLimits,
}

impl Bot<'_> {
    pub(in crate::delivery::sink::slack) fn step(
        &self,
        job: &Job<'_>,
        progress: Option<&[u8]>,
    ) -> Step {
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

    pub(in crate::delivery::sink::slack) fn interpret(
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

    pub(super) fn texts(&self, job: &Job<'_>, shortened: bool) -> Vec<String> {
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

/// How much of the transcript the thread does not hold yet.
pub(super) fn growth(job: &Job<'_>) -> Growth {
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
pub(super) fn receipt(job: &Job<'_>, root: &Root, exactly_once: bool) -> Receipt {
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
