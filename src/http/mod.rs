//! The way in: every route is in `router`, one file a kind of visitor.

mod admin;
mod api;
mod front;
mod human;
mod media;
mod posted;
mod router;
mod signed;
mod targets;
mod voice;

pub use front::{Front, PlivoDoor, TwilioDoor};
pub use router::router;
