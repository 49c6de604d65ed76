//! The disk form of facts, contexts and failures: JSON that names its version and kind.
//!
//! `{"v":1,"kind":"digit_pressed","digit":"0","at_samples":123}`. The types in here mirror those of
//! the core and are converted explicitly in both directions. A change that old readers would
//! misread raises [`VERSION`] and keeps the reader of the former version; a field that may be
//! absent does not.

mod context;
mod envelope;
mod fact;
mod failure;
mod parts;
mod plan;
mod reached;
#[cfg(test)]
mod tests;

pub(super) use context::{decode_context, encode_context};
pub(super) use envelope::malformed;
pub use envelope::{Record, RecordError, VERSION};
pub(super) use fact::{decode_fact, encode_fact};
pub(super) use failure::{decode_failure, encode_failure};
pub(super) use parts::{call_time, nanos};
