//! The verbs that take the caller somewhere: each from its beginning to its action.

mod connect;
mod dial;
mod enqueue;
mod join;
mod record;
mod refer;

pub(super) use connect::{connect, start};
pub(super) use dial::dial;
pub(super) use enqueue::enqueue;
pub(super) use join::{Party, Stayed, stay};
pub(super) use record::record;
pub(super) use refer::refer;
