//! A stand-in for Zendesk Support: access tokens, uploads and tickets.

mod server;
mod state;
mod ticket;

pub use server::{Route, Zendesk, ZendeskOptions};
pub use state::{State, Upload};
pub use ticket::{Comment, CommentBody, Requester, Ticket};
