//! Where context goes: each vendor as pure functions from a job to a request and from an answer to
//! a verdict.
//!
//! A delivery is a few requests in a row (upload, create; card, thread). How far it got is the
//! sink's progress, written down by the worker before a request whose repeat would show. A state
//! that names a request means that the request was or may have been sent; `interpret` is always
//! given the state under which the answered request was sent. Nothing here opens a socket, reads a
//! clock or logs.

mod answer;
mod content;
mod cut;
mod dispatch;
mod endpoint;
mod progress;
mod slack;
#[cfg(test)]
mod testing;
mod wording;
mod zendesk;

use std::time::Duration;

pub use endpoint::{BaseUrl, BaseUrlError};
pub use slack::{Slack, SlackLimits, SlackOptions, SlackTransport};
pub use zendesk::{
    CustomField, FieldValue, Priority, PriorityRule, PriorityStep, PriorityWhen, Requester,
    Zendesk, ZendeskCredentials, ZendeskLimits, ZendeskOptions,
};

use super::outcome::FailureReason;

/// A place where people look.
#[derive(Clone, Debug)]
pub enum Sink {
    /// A ticket.
    Zendesk(Zendesk),
    /// A card in a channel.
    Slack(Slack),
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Asking again later may help.
    Later {
        /// The pause that the vendor asks for.
        after: Option<Duration>,
        /// What happened.
        reason: FailureReason,
    },
    /// The credentials are wrong; asking again does not mend it.
    Final(FailureReason),
}
