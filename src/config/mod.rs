//! The configuration: what an operator decides, checked as a whole before anything starts.
//!
//! `default.toml` is complete and commented; it is both the reference and the defaults, and no
//! default has a second copy in code. Loading reports every problem with its path. After loading
//! no code asks whether something is set or usable: what may be absent is an enum or an `Option`
//! here, and numbers, URLs and documents are values of the types that the carrier's codecs take.

mod bounds;
mod calls;
mod connections;
mod data_dir;
mod environment;
mod figures;
mod kind;
mod load;
mod reader;
mod routes;
mod server;
mod sinks;
mod targets;

pub use calls::{Handoff, LastResort, StreamTimes, VoiceAgent};
pub use connections::{Deepgram, Plivo, PocketSphinx, RecognizerChoice, Twilio};
pub use environment::{Environment, variable};
pub use figures::{Figure, OutOfBounds};
pub use kind::Kind;
pub use load::{Config, ConfigError, DEFAULT, Loaded, load};
pub use reader::Problem;
pub use routes::{Ask, Asking, Routing};
pub use server::Server;
pub use sinks::{Delivery, Slack, SlackAccess, Zendesk, ZendeskAccess};
pub use targets::{Opening, Target};
