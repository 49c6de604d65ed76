//! A stand-in for Slack: the Web API's messages and files, and an incoming webhook.

mod arguments;
mod blocks;
mod range;
mod server;
mod state;

pub use blocks::{Probe, check_blocks};
pub use server::{Route, Slack, SlackOptions};
pub use state::{Channel, File, Message, State};
