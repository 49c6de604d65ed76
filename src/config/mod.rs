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
mod load;
mod reader;
mod server;
mod sinks;

pub use calls::{Handoff, StreamTimes, Target, VoiceAgent};
pub use connections::{Deepgram, Plivo, PocketSphinx, RecognizerChoice, Twilio};
pub use environment::{Environment, variable};
pub use load::{Config, ConfigError, DEFAULT, Loaded, load};
pub use reader::Problem;
pub use server::Server;
pub use sinks::{Delivery, Slack, SlackAccess, Zendesk, ZendeskAccess};
