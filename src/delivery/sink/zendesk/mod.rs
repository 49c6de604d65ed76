//! Zendesk: a ticket with an internal note and the transcript attached; at the call's end another
//! note.
//!
//! Opening is exactly once, by `Idempotency-Key` and `external_id`. Updating is at least once with
//! a look before every repeat. `open` and `update` are the state machines, `requests` and `wire`
//! the two directions of the protocol, `render` the words.
//!
//! Facts: developer.zendesk.com, read 2026-11-21. Written from the documentation and not yet run
//! against a Zendesk account.

mod html;
mod open;
mod options;
mod render;
mod requests;
mod settling;
mod ticketing;
mod update;
mod upload;
mod wire;

#[cfg(test)]
mod tests;

pub use options::{
    CustomField, FieldValue, Priority, PriorityRule, PriorityStep, PriorityWhen, Requester,
    ZendeskCredentials, ZendeskLimits, ZendeskOptions,
};
pub use ticketing::Zendesk;
