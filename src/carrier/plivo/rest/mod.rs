//! The requests that change a live call or call a human, and what their answers mean.
//!
//! Plivo takes no document inside of a request: a transfer names a URL, which must serve the document
//! to a signed POST, also if it is fetched twice. There is no idempotency key either. So every failure
//! says in its [`Verdict`](crate::carrier::verdict::Verdict) whether the call has to be looked at first.
//!
//! Transfer before the socket of a stream is closed: with `keepCallAlive` the new document begins when
//! the stream ends, and a stream that ends first lets the old document go on.
//!
//! - [`Account`], [`AuthId`]: who asks.
//! - [`transfer_call`], [`hang_up_call`], [`fetch_call`] and what reads their answers: a live call.
//! - [`create_call`], [`interpret_created`]: a human who is called apart.
//!
//! Sources: <https://www.plivo.com/docs/voice/api/>, `plivo` 4.63.0 for Python and the vendor's CLI
//! project, read 2026-11-21.

mod account;
mod call;
mod creation;

pub use crate::carrier::creation::CreationError;
pub use crate::carrier::rewrite::RewriteError;
pub use account::{Account, AccountKind, AuthId, NotAnAuthId, fetch_account};
pub use call::{
    MAX_TRANSFERS, fetch_call, hang_up_call, interpret_call, interpret_transfer, transfer_call,
};
pub use creation::{NewCall, create_call, interpret_created};
