//! The way in: every route is in `router`, one file a kind of visitor.

mod admin;
mod api;
mod front;
mod media;
mod router;
mod signed;
mod voice;

pub use front::{Front, TwilioDoor};
pub use router::router;
