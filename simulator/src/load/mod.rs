//! Many calls against a running handoff: what they cost it, and how soon a human's phone rings.
//!
//! The command is the carrier and the recognizer of all its calls at once: it signs the webhooks, opens
//! the media sockets the answers name, sends pre-rendered frames, and measures the server from outside
//! (`/proc`). Bare read-and-discard servers, driven by the same generator in the same interleaved run,
//! are the floor to compare with. It measures; what it is sent is checked only as far as it needs.

mod baseline;
mod carrier;
mod cli;
mod frames;
mod generator;
mod measure;
mod process;
mod report;
mod waits;

pub use baseline::{Args as BaselineArgs, Baseline, run as run_baseline};
pub use carrier::{Carrier, ParseDocumentError, StreamElement, parse_stream};
pub use cli::{Args, run};
pub use frames::{CallIds, Frame, Frames, StreamTag, Tracks};
